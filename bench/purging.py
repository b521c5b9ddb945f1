"""``bench/purge``: a day of 330,000 rows is dropped while others read and write.

The day is a copy of a real one, long before all others; what was seeded stays.
"""

import argparse
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import django

django.setup()  # first: what follows imports models

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.customers import customers  # noqa: E402
from bench.place import servers  # noqa: E402
from bench.recording import call  # noqa: E402
from usage import log_store, partitions, posting  # noqa: E402
from usage.models import RequestLog  # noqa: E402

CALM = 10.0  # seconds of reading and writing before, to compare with


@dataclass
class Worker(threading.Thread):
    """Does one thing again and again and notes when each began and ended."""

    act: object
    spans: list[tuple[float, float]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            self.act()  # type: ignore[operator]
            self.spans.append((began, time.monotonic()))
        connection.close()

    def longest(self, start: float, end: float) -> float:
        """Milliseconds of the longest act that touches this time."""
        return 1000 * max((b - a for a, b in self.spans if b > start and a < end), default=0)


def biggest_day() -> str:
    """The table of the day with the most rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'usage_requestlog_standard'::regclass"
            " ORDER BY pg_relation_size(inhrelid) DESC LIMIT 1"
        )
        (table,) = cursor.fetchone()
    return str(table)


def copied_day(rows: int) -> None:
    """A day that is due, with so many rows."""
    day = partitions.today() - timedelta(days=40)
    partitions.create([("standard", day)])
    source = biggest_day()
    target = partitions.day_table("standard", day)
    names = [column.column for column in RequestLog._meta.fields]
    values = [{"day": f"'{day}'::date"}.get(name, name) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {target}")
        cursor.execute(
            f"INSERT INTO {target} ({', '.join(names)})"
            f" SELECT {', '.join(values)} FROM {source} LIMIT {rows}"
        )
        cursor.execute(f"SELECT count(*), pg_total_relation_size('{target}') FROM {target}")
        count, size = cursor.fetchone()
        cursor.execute("CHECKPOINT")
    print(f"{count:,} rows, {size / 1e6:,.0f} MB with their indexes", flush=True)


def measure() -> None:
    everybody, chance = customers(), random.Random(2)

    def read() -> None:
        log_store.page(chance.choice(everybody).account)

    def write() -> None:
        posting.post([call(chance, chance.choice(everybody))[1] for _ in range(50)])

    workers = {"page of the log": Worker(read), "batch of 50 rows": Worker(write)}
    for worker in workers.values():
        worker.start()
    time.sleep(CALM)
    began = time.monotonic()
    [(name, day)] = partitions.due()
    gone = partitions.drop(name, day)
    ended = time.monotonic()
    time.sleep(0.5)
    for worker in workers.values():
        worker.over.set()
        worker.join()
    print(f"dropped: {gone}, in {1000 * (ended - began):.0f} ms")
    for what, worker in workers.items():
        before = worker.longest(began - CALM, began)
        print(f"longest {what}: {worker.longest(began, ended):.0f} ms; {before:.0f} ms before")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/purge", description=__doc__)
    parser.add_argument("--rows", type=int, default=330_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with servers():
        call_command("migrate", verbosity=0)
        for _ in range(options.rounds):
            copied_day(options.rows)
            measure()


if __name__ == "__main__":
    main()
