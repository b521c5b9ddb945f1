"""``GET usage``: what an account did in a period, as the seed shows it (keyplex, lines 291-310)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from accounts.scopes import Scope
from billing.models import Subscription
from gateway import database
from gateway.call import Call
from gateway.errors import InvalidRequest
from usage import breakdown, reports
from usage.breakdown import Dimension, Slice
from usage.reports import Totals
from webhooks.moments import written

if TYPE_CHECKING:
    from gateway.asgi import Gateway

PARAMETERS = ("start", "end", "api_key_id", "model", "endpoint", "group_by")
GROUPS = ("model", "api_key", "endpoint", "end_user", "day", "hour")
MOST = 1000  # groups of one answer, the most tokens first
LONGEST = {"day": timedelta(days=366), "hour": timedelta(days=31)}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What was asked for. ``start`` None means the beginning of the current billing period."""

    start: datetime | None
    end: datetime
    only: dict[str, str | int]
    group_by: str


async def usage(gateway: Gateway, call: Call) -> None:
    """Sums of whole hours from ``start``, rounded down, to ``end``: those of the dashboard."""
    meter = await gateway.authenticate(call, "usage")
    meter.require(Scope.USAGE_READ)
    inquiry = parse(call.query, datetime.now(UTC))
    await gateway.catalog.ready()
    if offer := gateway.catalog.offers.get(str(inquiry.only.get("model"))):
        inquiry.only["model"] = offer.model_id
    document = await database.query(answer, meter.caller.account_id, inquiry)
    await gateway.show_limits(meter)
    await call.answer(200, _encode(document))


def parse(query: bytes, now: datetime) -> Inquiry:
    """The parameters, checked. Raises InvalidRequest with the one that is wrong."""
    asked = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    for name, value in asked.items():
        if name not in PARAMETERS:
            raise wrong(name[:100], f"is not known; known are {', '.join(PARAMETERS)}")
        if "\0" in value:
            raise wrong(name, "must not hold a NUL character")
    only: dict[str, str | int] = {}
    only |= {name: asked[name] for name in ("model", "endpoint") if name in asked}
    if "api_key_id" in asked:
        only["api_key_id"] = number("api_key_id", asked["api_key_id"])
    group_by = asked.get("group_by", "model")
    if group_by not in GROUPS:
        raise wrong("group_by", f"must be one of {', '.join(GROUPS)}")
    start = moment("start", asked["start"]) if "start" in asked else None
    end = moment("end", asked["end"]) if "end" in asked else now
    return Inquiry(start, end, only, group_by)


def answer(account_id: int, inquiry: Inquiry) -> dict[str, Any]:
    """Raises InvalidRequest for a period that ends before it begins, or has too many steps."""
    start, end = inquiry.start or period_start(account_id), inquiry.end
    start = start.replace(minute=0, second=0, microsecond=0)
    if start > end:
        raise wrong("start", "must not be later than end")
    if end - start > LONGEST.get(inquiry.group_by, timedelta.max):
        days = LONGEST[inquiry.group_by].days
        raise wrong("group_by", f"{inquiry.group_by} takes periods of at most {days} days")
    period = account_id, start, end
    total = reports.totals(*period, inquiry.only)
    models = reports.by_model(*period, inquiry.only).items()
    document: dict[str, Any] = {
        "object": "usage",
        "period": {"start": written(start), "end": written(end)},
        "data": {
            "total_requests": total.requests,
            "total_tokens": total.tokens,
            "prompt_tokens": total.prompt_tokens,
            "completion_tokens": total.completion_tokens,
            "models": {model: {"requests": t.requests, "tokens": t.tokens} for model, t in models},
        },
    }
    if inquiry.group_by != "model":
        document["groups"] = groups(*period, inquiry)
    return document


def groups(
    account_id: int, start: datetime, end: datetime, inquiry: Inquiry
) -> list[dict[str, str | int | None]]:
    """An ``end_user`` of null is for calls that name none, the empty one for those too many."""
    if inquiry.group_by == "api_key":
        keys = reports.by_key(account_id, start, end, inquiry.only)
        return [group("api_key_id", api_key_id, totals) for api_key_id, totals in keys.items()]
    if inquiry.group_by in ("endpoint", "end_user"):
        dimension: Dimension = "endpoint" if inquiry.group_by == "endpoint" else "end_user"
        part = Slice(account_id, start, end, inquiry.only)
        found = breakdown.groups(part, dimension, MOST)
        return [group(dimension, name, totals) for name, totals in found.items()]
    step: reports.Step = "hour" if inquiry.group_by == "hour" else "day"
    steps = reports.over_time(account_id, start, end, step, inquiry.only)
    return [group("start", written(begin), totals) for begin, totals in steps.items()]


def group(name: str, value: str | int | None, totals: Totals) -> dict[str, str | int | None]:
    return {
        name: value,
        "requests": totals.requests,
        "tokens": totals.tokens,
        "prompt_tokens": totals.prompt_tokens,
        "completion_tokens": totals.completion_tokens,
    }


def period_start(account_id: int) -> datetime:
    return Subscription.objects.get(account_id=account_id).current_period_start


def moment(name: str, text: str) -> datetime:
    """A date, a date with a time (UTC unless it says otherwise), or Unix seconds.

    A mere date means its beginning as a start, and its end as an end.
    """
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        found = datetime.fromisoformat(text)
        if name == "end" and is_mere_date(text):
            found += timedelta(days=1)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        said = "must be a date, a date with a time as in 2026-01-31T12:00:00Z, or Unix seconds"
        raise wrong(name, said) from None


def is_mere_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise wrong(name, "must be a whole number")
    return int(text)


def wrong(name: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"'{name}' {what}.", code="invalid_value", param=name)
