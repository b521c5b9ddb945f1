"""The request log as everybody reads it. Another engine could take the rows behind this module."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import F, Q

from usage.models import RequestLog, RequestLogQuerySet, day_of
from usage.rollups import Counted


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader wants to see; whatever is left out is not looked at."""

    model: str = ""
    api_key_id: int | None = None
    outcome: str = ""
    status_code: int | None = None
    request_id: str = ""
    end_user: str = ""
    since: datetime | None = None  # from then on
    until: datetime | None = None  # before then


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
        if day_of(request_id) is None:
            return None
        try:
            return cls(datetime.fromtimestamp(float(seconds), UTC), request_id)
        except (ValueError, OverflowError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[RequestLog]
    older: Cursor | None  # where the next page begins, if there is one


def page(
    account_id: int,
    filters: Filters | None = None,
    *,
    before: Cursor | None = None,
    limit: int = 50,
) -> Page:
    """The newest rows of an account, or those right below ``before``."""
    rows = list(_matching(account_id, filters or Filters(), before)[: limit + 1])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], Cursor(last.started_at, last.request_id) if last else None)


def get(account_id: int, request_id: str) -> RequestLog | None:
    """One row, if there is such a one and it belongs to the account."""
    return RequestLog.objects.named(request_id).filter(account_id=account_id).first()


def total_tokens(request_ids: Collection[str]) -> dict[str, int]:
    """The tokens that these requests are charged for, as far as they are stored."""
    days = [day for request_id in request_ids if (day := day_of(request_id))]
    if not days:
        return {}
    around = (min(days) - timedelta(1), max(days) + timedelta(1))
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


def _matching(account_id: int, filters: Filters, before: Cursor | None) -> RequestLogQuerySet:
    rows = RequestLog.objects.filter(account_id=account_id)
    if filters.request_id:
        rows = rows.named(filters.request_id)
    for name in ("model", "api_key_id", "outcome", "status_code", "end_user"):
        if value := getattr(filters, name):
            rows = rows.filter(**{name: value})
    if filters.since:
        rows = rows.filter(started_at__gte=filters.since, day__gte=_day(filters.since))
    if filters.until:
        rows = rows.filter(started_at__lt=filters.until, day__lte=_day(filters.until))
    if before:
        same_moment = Q(started_at=before.started_at, request_id__lt=before.request_id)
        rows = rows.filter(
            Q(started_at__lt=before.started_at) | same_moment,
            started_at__lte=before.started_at,  # this is what the index can use
            day__lte=_day(before.started_at),
        )
    return rows.order_by("-started_at", "-request_id")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
