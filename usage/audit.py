"""Do the books agree? What the journal, the log, the rollups and the counters say, compared."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from django.db import connection, transaction

from usage import log_store, partitions, reports, rollups
from usage.models import UsageHour
from usage.recorder import REJECTED
from usage.records import Final, Record
from usage.rollups import Key, Sums
from usage.segments import Segments

Counters = Callable[[int, date], int | None]


def audit(
    directory: Path, *, account: int | None = None, counters: Counters | None = None
) -> list[str]:
    """Every difference, in words; none if the books agree.

    Calls that run just now are differences of a kind: ask when it is quiet. ``counters`` tells
    the tokens that the limiter has counted for an account on a day, or None if it knows nothing.
    """
    differences = list(_in_journal(directory, account))
    with transaction.atomic():
        with connection.cursor() as cursor:  # rows and rollups of one and the same moment
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for day in partitions.complete_days():
            differences += _in_rollups(day, account)
        if counters:
            differences += _in_counters(counters, account)
    return differences


def _in_journal(directory: Path, account: int | None) -> Iterator[str]:
    """What has not become rows."""
    finals: dict[str, Record] = {}
    intents: dict[str, Record] = {}
    for segment in Segments(directory).current():
        for record in segment.read():
            if account in (None, record.account_id):
                (finals if isinstance(record, Final) else intents)[record.request_id] = record
    stored = log_store.total_tokens({*finals, *intents})
    for request_id in sorted({*finals, *intents} - stored.keys()):
        what = "ended" if request_id in finals else "began"
        yield f"{request_id} {what} according to the journal but has no row"
    for path in sorted([*directory.glob("*.damaged"), *directory.glob(REJECTED)]):
        yield f"{path} holds records that could not be stored"


def _in_rollups(day: date, account: int | None) -> Iterator[str]:
    expected = rollups.add_up(log_store.calls(day, account))
    found = stored_sums(day, account)
    for key in sorted(expected.keys() | found.keys()):
        log, rollup = expected.get(key, Sums()), found.get(key, Sums())
        for name in rollups.COLUMNS:
            says = getattr(log, name), getattr(rollup, name)
            if says[0] != says[1]:
                account_id, hour, api_key_id, model = key
                yield (
                    f"account {account_id}, key {api_key_id}, {model}, {hour:%Y-%m-%d %H}h: "
                    f"{name} is {says[0]} by the log and {says[1]} by the rollup"
                )


def stored_sums(day: date, account: int | None) -> dict[Key, Sums]:
    """The rollups of a day in the form in which they are added up."""
    start, end = reports.hours_of(day)
    hours = UsageHour.objects.filter(hour__gte=start, hour__lt=end).order_by()
    if account is not None:
        hours = hours.filter(account_id=account)
    return {
        (hour.account_id, hour.hour, hour.api_key_id, hour.model): Sums(
            **{name: getattr(hour, name) for name in rollups.COLUMNS}
        )
        for hour in hours.iterator()
    }


def _in_counters(counters: Counters, account: int | None) -> Iterator[str]:
    day = partitions.today()
    start, end = reports.hours_of(day)
    hours = UsageHour.objects.filter(hour__gte=start, hour__lt=end).order_by("account_id")
    accounts = [account] if account else hours.values_list("account_id", flat=True).distinct()
    for account_id in accounts:
        counted, charged = counters(account_id, day), reports.tokens_on_day(account_id, day)
        if counted not in (None, charged):
            yield (
                f"account {account_id}, {day}: {charged} tokens by the rollups "
                f"and {counted} by the counter"
            )
