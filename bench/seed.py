"""``bench/seed_logs``: believable log rows over 30 days, through COPY, with their rollups.

Where it was interrupted it goes on: a day is whole, or made again. The data folder stays, so that
``bench/pages``, ``bench/purge`` and ``./start --data FOLDER`` find it.
"""

import argparse
import io
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice

import django

django.setup()  # first: what follows imports models

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402

from bench import believable  # noqa: E402
from bench.believable import Customer  # noqa: E402
from bench.customers import customers, open_accounts  # noqa: E402
from bench.place import servers  # noqa: E402
from usage import partitions, rebuild, reports, rollup_tables  # noqa: E402
from usage.models import RequestLog, UsageHour  # noqa: E402

DAYS = 30
LINES = 2000  # in one write to COPY
# What is cut off by a power failure is made again; nothing else may be in this database.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
HASTY |= {"max_wal_size": "8GB", "wal_level": "minimal", "max_wal_senders": "0"}


def seed(number: int, accounts: int, processes: int) -> None:
    call_command("migrate", verbosity=0)
    call_command("load_catalog", str(settings.CATALOG), stdout=io.StringIO())
    login = open_accounts(accounts)
    everybody, now = customers(), first_begun()
    days = [now.date() - timedelta(days=back) for back in reversed(range(DAYS))]
    partitions.create((name, day) for name in partitions.DAYS_KEPT for day in days)
    partitions.create(("extended", days[0] - timedelta(days=back)) for back in range(335))
    connections.close_all()  # a connection is not shared by processes
    one = partial(seed_day, everybody=everybody, now=now)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        newest_first = reversed(list(numbers(days, number, now)))
        for said in pool.map(one, *zip(*newest_first, strict=True)):
            print(said, flush=True)
    with connection.cursor() as cursor:
        for table in (RequestLog._meta.db_table, *(table.name for table in rollup_tables.TABLES)):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        cursor.execute("CHECKPOINT")
    print(
        f"{RequestLog.objects.count():,} rows, {UsageHour.objects.count():,} hourly sums.\n{login}"
    )


def first_begun() -> datetime:
    """When this folder was first seeded: what is made later must fit what was made then."""
    mark = settings.INSTANCE.data / "seeded_at"
    if not mark.exists():
        mark.write_text(datetime.now(UTC).isoformat())
    return datetime.fromisoformat(mark.read_text())


def numbers(days: list[date], number: int, now: datetime) -> Iterator[tuple[date, int]]:
    """How many rows each day gets, as it is with weekdays, weekends, and a day not over."""
    shares = [believable.share_of(day, now) for day in days]
    for day, share in zip(days, shares, strict=True):
        yield day, round(number * share / sum(shares))


def seed_day(day: date, number: int, everybody: list[Customer], now: datetime) -> str:
    """All rows of a day and their sums, unless they are there; what was done, in words."""
    began, whole = time.monotonic(), sum(customer.weight for customer in everybody)
    counted = 0
    for name in partitions.DAYS_KEPT:
        mine = [customer for customer in everybody if customer.retention_class == name]
        wanted = round(number * sum(customer.weight for customer in mine) / whole)
        if RequestLog.objects.filter(day=day, retention_class=name).count() != wanted:
            copy(partitions.day_table(name, day), believable.rows(day, wanted, mine, now))
        counted += wanted
    start, end = reports.hours_of(day)
    hours = UsageHour.objects.filter(hour__gte=start, hour__lt=end)
    if sum(hours.values_list("requests", flat=True)) == counted:
        return f"{day}  {counted:>9,} rows are there"
    rebuild.rebuild_day(day)
    took = time.monotonic() - began
    return f"{day}  {counted:>9,} rows  {took:6.1f} s  {counted / took:>9,.0f}/s"


@transaction.atomic
def copy(table: str, lines: Iterator[str]) -> None:
    """These lines become the whole content of the table, or nothing changes."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")
        with cursor.copy(f"COPY {table} FROM STDIN (FREEZE)") as writer:
            while block := "".join(islice(lines, LINES)):
                writer.write(block)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/seed_logs", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with servers(**HASTY):
        seed(options.rows, options.accounts, options.processes)


if __name__ == "__main__":
    main()
