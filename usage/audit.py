"""Do the books agree? What the journal, the log, the rollups and the counters say, compared."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Sum

from usage import log_store, partitions, reports, rollups
from usage.models import AccountDay, UsageHour
from usage.recorder import REJECTED
from usage.records import Final, Payload, Record
from usage.rollup_tables import END_USER_DAYS, END_USERS, ERRORS, HOURS, Table
from usage.rollups import Counts
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
            differences += _in_day_totals(day, account)
        if counters:
            differences += _in_counters(counters, account)
    return differences


def _in_journal(directory: Path, account: int | None) -> Iterator[str]:
    """What has not become rows."""
    finals: dict[str, Record] = {}
    intents: dict[str, Record] = {}
    for segment in Segments(directory).current():
        for record in segment.read():
            if account in (None, record.account_id) and not isinstance(record, Payload):
                (finals if isinstance(record, Final) else intents)[record.request_id] = record
    stored = log_store.total_tokens({*finals, *intents})
    for request_id in sorted({*finals, *intents} - stored.keys()):
        what = "ended" if request_id in finals else "began"
        yield f"{request_id} {what} according to the journal but has no row"
    for path in sorted([*directory.glob("*.damaged"), *directory.glob(REJECTED)]):
        yield f"{path} holds records that could not be stored"


def _in_rollups(day: date, account: int | None) -> Iterator[str]:
    """The names that a rollup keeps apart are taken as they are; the sums must be the log's."""
    log = rollups.add_up(log_store.calls(day, account))
    yield from _different(HOURS, log.hours, stored_sums(HOURS, day, account))
    for table, named in ((END_USERS, log.end_users), (ERRORS, log.errors)):
        found = stored_sums(table, day, account)
        kept: dict[tuple[int, datetime], set[str]] = {}
        for account_id, hour, name, *_ in found:
            kept.setdefault((account_id, hour), set()).add(name)
        expected = rollups.with_rest(named, kept)
        yield from _different(table, expected, found)
        if table is END_USERS:
            days = stored_sums(END_USER_DAYS, day, account)
            yield from _different(END_USER_DAYS, rollups.by_day(expected), days)


def _in_day_totals(day: date, account: int | None) -> Iterator[str]:
    """What thresholds are held against must be what the hours come to."""
    only = {"account_id": account} if account is not None else {}
    start, end = reports.hours_of(day)
    hours = UsageHour.objects.filter(hour__gte=start, hour__lt=end, **only).order_by()
    sums = hours.values("account_id").annotate(
        requests=Sum("admitted"), tokens=Sum(F("prompt_tokens") + F("completion_tokens"))
    )
    by_hours = {row["account_id"]: (row["requests"], row["tokens"]) for row in sums}
    days = AccountDay.objects.filter(day=day, **only)
    kept = {one.account_id: (one.requests, one.tokens) for one in days}
    for account_id in sorted(by_hours.keys() | kept.keys()):
        says = by_hours.get(account_id, (0, 0)), kept.get(account_id, (0, 0))
        if says[0] != says[1]:
            yield (
                f"account {account_id}, {day}: requests and tokens are {says[0]} by the hours "
                f"and {says[1]} by the day"
            )


def _different(
    table: Table, expected: Mapping[Any, Counts], found: Mapping[Any, Counts]
) -> Iterator[str]:
    nothing = rollups.Sums()
    for key in sorted(expected.keys() | found.keys()):
        log, rollup = expected.get(key, nothing), found.get(key, nothing)
        for name in table.columns:
            says = getattr(log, name), getattr(rollup, name)
            if says[0] != says[1]:
                account_id, hour, *rest = key
                what = ", ".join(
                    f"key {part}" if column == "api_key_id" else part
                    for column, part in zip(table.key[2:], rest, strict=True)
                    if part
                )
                yield (
                    f"account {account_id}, {what}, {hour:%Y-%m-%d %H}h: "
                    f"{name} is {says[0]} by the log and {says[1]} by the rollup"
                )


def stored_sums(table: Table, day: date, account: int | None) -> dict[Any, Counts]:
    """The rollups of a day in the form in which they are added up."""
    start, end = reports.hours_of(day)
    hours = table.model._default_manager.filter(hour__gte=start, hour__lt=end).order_by()
    if account is not None:
        hours = hours.filter(account_id=account)
    make = rollups.Sums if table.arrays else rollups.Counts
    return {
        tuple(getattr(hour, name) for name in table.key): make(
            **{name: getattr(hour, name) for name in table.columns}
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
