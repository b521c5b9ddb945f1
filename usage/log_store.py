"""The request log as everybody reads it. Another engine could take the rows behind this module.

No way of asking makes a page dear: rows are read newest first out of the index that fits best, and
after ``LOOKS`` of them the page ends where it is, with a cursor from which to look on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet, Sum

from usage.long_kept import LongKept
from usage.models import Outcome, RequestLog, UsageHour, day_of
from usage.partitions import SHORTEST
from usage.rollups import CLASSES, Counted

LOOKS = 4_000  # rows that are read for one page, at most
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NEWEST_FIRST = "ORDER BY started_at DESC, request_id DESC"
# Minds the capitals of ASCII only, where ILIKE minds those of every script.
ERROR_HAS = """
strpos(lower((error_message || E'\n' || error_code) COLLATE "C"), lower(%s COLLATE "C")) > 0
"""
Condition = tuple[str, list[Any]]  # SQL, and what its placeholders stand for


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader wants to see; whatever is left out is not looked at."""

    model: str = ""
    api_key_id: int | None = None
    outcome: str = ""
    status_code: int | None = None
    status_class: int | None = None  # 4 for 400 to 499
    endpoint: str = ""
    request_id: str = ""
    end_user: str = ""
    error: str = ""  # somewhere in the message or the code, large or small
    since: datetime | None = None  # from then on
    until: datetime | None = None  # before then

    @property
    def failures_only(self) -> bool:
        """Whether no request that went well can be meant."""
        status = self.status_class or (self.status_code or 200) // 100
        return status != 2 or bool(self.error) or self.outcome not in {"", Outcome.OK}

    @property
    def in_rollups(self) -> dict[str, Any]:
        """As much of it as the hourly sums know."""
        known: dict[str, Any] = {"model": self.model, "api_key_id": self.api_key_id}
        if self.outcome in CLASSES:
            known[f"{CLASSES[self.outcome]}__gt"] = 0
        return {name: value for name, value in known.items() if value not in {"", None}}

    def matching(self) -> list[Condition]:
        """What a row must be besides lying in the period."""
        columns = ("model", "api_key_id", "outcome", "status_code", "endpoint", "end_user")
        wanted = [(name, getattr(self, name)) for name in columns]
        conditions: list[Condition] = [(f"{name} = %s", [value]) for name, value in wanted if value]
        if hundreds := self.status_class:
            bounds = [hundreds * 100, hundreds * 100 + 99]
            conditions.append(("status_code BETWEEN %s AND %s", bounds))
        if self.error:
            conditions.append((ERROR_HAS, [self.error]))
        return conditions


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list: right below this row."""

    started_at: datetime
    request_id: str

    def __str__(self) -> str:
        return f"{self.started_at.astimezone(UTC).timestamp():.6f}~{self.request_id}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """The cursor that was written as ``text``; None if it was not."""
        seconds, _, request_id = text.partition("~")
        try:
            if day_of(request_id) is None or float(seconds) < 0:
                return None
            return cls(datetime.fromtimestamp(float(seconds), UTC), request_id)
        except (ValueError, OverflowError, OSError):
            return None

    @classmethod
    def below(cls, row: RequestLog) -> Cursor:
        return cls(row.started_at, row.request_id)


@dataclass(frozen=True, slots=True)
class Page:
    """``looked_back_to`` is set where the page is short because enough was read for it."""

    rows: list[RequestLog]
    older: Cursor | None  # where the next page begins, if there may be one
    looked_back_to: datetime | None = None


def page(
    account_id: int,
    filters: Filters | None = None,
    *,
    before: Cursor | None = None,
    limit: int = 50,
    looks: int = LOOKS,
) -> Page:
    """The newest rows of an account that match, or those right below ``before``.

    A page that is not full is the last one, unless it has an ``older``.
    """
    filters = filters or Filters()
    matching = filters.matching()
    if not matching and not filters.request_id:  # most accounts that are looked at are in use
        near = _near(filters, before)
        found = _page(_source(account_id, near, before), [], limit, looks)
        if found.older or near == filters:
            return found
    within = [] if filters.request_id else _within(account_id, filters, before)
    if within is None:
        return Page([], None)
    source = _source(account_id, filters, before, within)
    return _page(source, matching, limit, looks)


def _near(filters: Filters, before: Cursor | None) -> Filters:
    """The same, but of its last day and what has passed of the one after, as few tables know it."""
    end = before.started_at if before else filters.until or datetime.now(UTC)
    start = datetime.combine(_day(end) - DAY, time(tzinfo=UTC))
    return replace(filters, since=max(start, filters.since or start))


def _page(source: Condition, matching: list[Condition], limit: int, looks: int) -> Page:
    sql, given = source
    where, wanted = _sql(matching)
    rows = _rows(
        f"SELECT * FROM ({sql} LIMIT %s) AS looked_at WHERE {where} {NEWEST_FIRST} LIMIT %s",  # noqa: S608
        [*given, looks, *wanted, limit + 1],
    )
    if len(rows) > limit:
        return Page(rows[:limit], Cursor.below(rows[limit - 1]))
    if wanted:
        for last in _rows(f"{sql} OFFSET %s LIMIT 1", [*given, looks - 1]):
            return Page(rows, Cursor.below(last), last.started_at)
    return Page(rows, None)


def batches(account_id: int, filters: Filters, *, at_a_time: int) -> Iterator[list[RequestLog]]:
    """All rows that match, newest first, with never more than a batch of them in memory.

    Each batch is a query of its own: whoever takes an hour to read them holds no transaction
    open. An empty one says that much was looked at.
    """
    found = page(account_id, filters, limit=at_a_time)
    while found.older:
        yield found.rows
        found = page(account_id, filters, before=found.older, limit=at_a_time)
    yield found.rows


def about(account_id: int, filters: Filters, oldest: datetime) -> tuple[int, bool]:
    """How many rows match at most, by the hourly sums, and whether it is just as many.

    Rows from before ``oldest`` are no longer kept.
    """
    since = max(filters.since, oldest) if filters.since else oldest
    hours = UsageHour.objects.filter(account_id=account_id, **filters.in_rollups)
    hours = hours.filter(hour__gt=since - HOUR)
    if filters.until:
        hours = hours.filter(hour__lt=filters.until)
    counted = CLASSES.get(filters.outcome, "requests")
    number = hours.aggregate(number=Sum(counted, default=0))["number"]
    told = replace(filters, model="", api_key_id=None, outcome="", since=None, until=None)
    return (min(number, 1), False) if filters.request_id else (number, told == Filters())


def get(account_id: int, request_id: str) -> RequestLog | None:
    """One row, if there is such a one and it belongs to the account."""
    return RequestLog.objects.named(request_id).filter(account_id=account_id).first()


def models_of(account_id: int, since: datetime) -> list[str]:
    """Every model that the account has called since then."""
    hours = UsageHour.objects.filter(account_id=account_id, hour__gt=since - HOUR)
    return list(hours.order_by("model").values_list("model", flat=True).distinct())


def calls_between(account_id: int, api_key_id: int, since: datetime, until: datetime) -> int:
    """How many calls of one key began within a period; keep it short."""
    days = (since.astimezone(UTC).date(), until.astimezone(UTC).date())
    rows = RequestLog.objects.filter(account_id=account_id, api_key_id=api_key_id)
    return rows.filter(started_at__gte=since, started_at__lt=until, day__range=days).count()


def total_tokens(request_ids: Collection[str]) -> dict[str, int]:
    """The tokens that these requests are charged for, as far as they are stored."""
    days = [day for request_id in request_ids if (day := day_of(request_id))]
    if not days:
        return {}
    around = (min(days) - DAY, max(days) + DAY)
    rows = RequestLog.objects.filter(request_id__in=list(request_ids), day__range=around)
    totals = rows.annotate(total=F("prompt_tokens") + F("completion_tokens"))
    return dict(totals.values_list("request_id", "total"))


def calls(day: date, account_id: int | None = None) -> Iterator[Counted]:
    """What the sums need of every row of a UTC day, of everybody or of one account."""
    rows = RequestLog.objects.filter(day=day).order_by()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    names = [name for name in vars(Counted) if not name.startswith("_")]
    return rows.values_list(*names, named=True).iterator(chunk_size=5000)


def long_kept(day: date) -> set[int]:
    """The accounts that have rows of a UTC day that are kept longer than others."""
    rows = RequestLog.objects.filter(day=day).exclude(retention_class=SHORTEST)
    return set(rows.order_by().values_list("account_id", flat=True).distinct())


def _within(account_id: int, filters: Filters, before: Cursor | None) -> list[Condition] | None:
    """Where anything that matches can lie, as far as the sums of hours tell; None if nowhere.

    So what was used three weeks ago and never since is found without reading what lies between,
    and no table is planned for that can have nothing of it.
    """
    hours = UsageHour.objects.filter(account_id=account_id)
    if filters.since:
        hours = hours.filter(hour__gt=filters.since - HOUR)
    for end in (filters.until, before.started_at if before else None):
        if end:
            hours = hours.filter(hour__lte=end)
    oldest = hours.order_by("hour").values("hour")[:1]
    newest = hours.filter(**filters.in_rollups).order_by("-hour").values("hour")[:1]
    first, last, long_kept = _values(oldest, newest, LongKept.objects.filter(pk=account_id))
    if last is None:
        return None
    days = [_day(first), _day(last)]
    conditions = [("started_at < %s AND day BETWEEN %s AND %s", [last + HOUR, *days])]
    return conditions if long_kept else [*conditions, ("retention_class = %s", [SHORTEST])]


def _values(*queries: QuerySet[Any, Any]) -> list[Any]:
    """What each of these queries for one value finds, asked together."""
    asked = [query.query.sql_with_params() for query in queries]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(f'({sql})' for sql, _ in asked)}",
            [value for _, values in asked for value in values],
        )
        return list(cursor.fetchone())


def _source(
    account_id: int, filters: Filters, before: Cursor | None, within: Iterable[Condition] = ()
) -> Condition:
    """Rows in the order of an index, with nothing that it would pass over on the way."""
    conditions: list[Condition] = [("account_id = %s", [account_id]), *within]
    if filters.request_id:
        day = day_of(filters.request_id) or date.min
        around = [filters.request_id, day, day]
        conditions.append(("request_id = %s AND day BETWEEN %s - 1 AND %s + 1", around))
    elif filters.end_user:
        conditions.append(("end_user = %s", [filters.end_user]))
    elif filters.failures_only:
        conditions.append(("outcome <> 'ok'", []))
    if since := filters.since:
        conditions.append(("started_at >= %s AND day >= %s", [since, _day(since)]))
    if until := filters.until:
        conditions.append(("started_at < %s AND day <= %s", [until, _day(until)]))
    if before:
        place = [before.started_at, before.request_id, _day(before.started_at)]
        conditions.append(("(started_at, request_id) < (%s, %s) AND day <= %s", place))
    where, values = _sql(conditions)
    return f"SELECT * FROM usage_requestlog WHERE {where} {NEWEST_FIRST}", values  # noqa: S608


def _sql(conditions: list[Condition]) -> Condition:
    """All of them together; nothing but names and placeholders is in the SQL."""
    where = " AND ".join(sql for sql, _ in conditions) or "TRUE"
    return where, [value for _, values in conditions for value in values]


def _rows(sql: str, values: list[Any]) -> list[RequestLog]:
    return list(RequestLog.objects.raw(sql, values))


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
