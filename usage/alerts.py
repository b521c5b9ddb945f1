"""What an account is told of its use: 80 and 90 % of a limit, and the first refusal; each once.

Limits of a minute are no matter for a message: who runs into one reads it from the answer, and it
has passed before a message arrives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg

from accounts.models import APIKey
from billing import limits
from billing.limits import Limit, Window
from billing.models import Subscription
from usage import reports, spent
from usage.spent import Spent
from usage.thresholds import THRESHOLDS, reached
from usage.told import Alert, first_told
from webhooks.event_types import EventType
from webhooks.events import emit
from webhooks.moments import written

if TYPE_CHECKING:
    from usage.posting import Row

EXCEEDED = 100  # percent, as the threshold of a limit that refuses
REFUSED = {"quota_exceeded", "lifetime_limit_reached"}  # error codes of windows that we tell of
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Checked(msgspec.Struct, frozen=True):
    """A limit as the gateway looked at it; the part of its decision that we need."""

    name: str
    limit: int
    used: int
    asked: int
    scope: str = "account"


class Decision(msgspec.Struct, frozen=True):
    limits: list[Checked] = []


_read = msgspec.json.Decoder(Decision).decode
Found = Iterator[tuple[Alert, int]]  # with what is used


def tell(cursor: psycopg.Cursor[Any], calls: Sequence[Row]) -> None:
    """Emit what these calls have reached or run into, in the transaction that stores them."""
    totals = spent.add(cursor, calls)
    found = [*_of_accounts(cursor, totals), *_of_keys(calls), *_of_refusals(calls)]
    used = dict(found[::-1])  # of two that say the same, the first
    if not used:
        return
    for alert in first_told(cursor, used):
        emit(alert.account_id, _event_type(alert), _as_data(alert, used[alert]))


def _of_accounts(cursor: psycopg.Cursor[Any], totals: Sequence[Spent]) -> Found:
    """What accounts have reached of the limits of their plans."""
    agreed = Subscription.objects.limits_of({one.account_id for one in totals})
    monthly = {
        (one.account_id, one.day.replace(day=1))
        for one in totals
        for limit in agreed.get(one.account_id, ())
        if limit.window == "month"
    }
    by_window = {"day": totals, "month": spent.in_months(cursor, monthly)}
    for window, sums in by_window.items():
        for one in sums:
            for limit in agreed.get(one.account_id, ()):
                if limit.window == window:
                    yield from _reached(limit, one.account_id, 0, one.day, one.of(limit.unit))


def _of_keys(calls: Sequence[Row]) -> Found:
    """What keys have reached of limits of their own; few have any."""
    days = {(call.api_key_id, call.day) for call in calls if call.admitted}
    by_key: dict[int, set[date]] = defaultdict(set)
    for api_key_id, day in days:
        by_key[api_key_id].add(day)
    for api_key in APIKey.objects.filter(pk__in=by_key).exclude(limits={}):
        for limit in limits.parse(api_key.limits, limits.OF_KEYS):
            for begins_on in {begin_of(limit.window, day) for day in by_key[api_key.pk]} - {None}:
                assert begins_on is not None
                only = {"api_key_id": api_key.pk}
                total = reports.totals(
                    api_key.account_id, *period_of(limit.window, begins_on), only
                )
                used = total.tokens if limit.unit == "tokens" else total.admitted
                yield from _reached(limit, api_key.account_id, api_key.pk, begins_on, used)


def _reached(limit: Limit, account_id: int, api_key_id: int, begins_on: date, used: int) -> Found:
    """A soft limit refuses nothing, so only its use can tell that it is exceeded."""
    thresholds = (*THRESHOLDS, EXCEEDED) if limit.soft else THRESHOLDS
    for threshold in reached(used, limit.amount, thresholds):
        yield Alert(account_id, api_key_id, limit.name, limit.amount, begins_on, threshold), used


def _of_refusals(calls: Iterable[Row]) -> Found:
    """The limits that have refused; of many refusals alike, the first is looked at."""
    seen = set()
    for call in calls:
        kind = call.account_id, call.api_key_id, call.day, call.error_code
        if call.error_code not in REFUSED or kind in seen:
            continue
        seen.add(kind)
        for checked in _exceeded(call):
            _, window = limits.OF_KEYS[checked.name]
            if begins_on := begin_of(window, call.day):
                whose = call.api_key_id if checked.scope == "key" else 0
                names = checked.name, checked.limit, begins_on, EXCEEDED
                yield Alert(call.account_id, whose, *names), checked.used


def _exceeded(call: Row) -> list[Checked]:
    """The hard limits that were in the way of a call."""
    try:
        decision = _read(call.decision)
    except msgspec.MsgspecError:
        return []
    hard = [one for one in decision.limits if one.name in limits.OF_KEYS]
    return [one for one in hard if one.used + one.asked > one.limit]


def begin_of(window: Window, day: date) -> date | None:
    """The first day of the window in which ``day`` lies; None of a window we do not tell of."""
    return {
        "minute": None,
        "day": day,
        "month": day.replace(day=1),
        "lifetime": BEGINNING.date(),
    }[window]


def period_of(window: Window, begins_on: date) -> tuple[datetime, datetime]:
    """From the beginning of a window up to but without its end."""
    start, next_day = reports.hours_of(begins_on)
    if window == "day":
        return start, next_day
    if window == "month":
        return start, (start + timedelta(days=32)).replace(day=1)
    return start, datetime.max.replace(tzinfo=UTC)


def _event_type(alert: Alert) -> EventType:
    exceeded = alert.threshold == EXCEEDED
    return EventType.USAGE_LIMIT_EXCEEDED if exceeded else EventType.USAGE_THRESHOLD_REACHED


def _as_data(alert: Alert, used: int) -> dict[str, Any]:
    """As the seed shows it (keyplex, lines 450-456), and which limit it is."""
    unit, window = limits.OF_KEYS[alert.name.removeprefix(limits.SOFT)]
    _, end = period_of(window, alert.begins_on)
    lasts = window != "lifetime"
    return {
        "threshold": alert.threshold,
        "current_usage": used,
        "limit": alert.amount,
        "period_end": written(end - timedelta(seconds=1)) if lasts else None,
        "window": window,
        "metric": unit,
        "soft": alert.name.startswith(limits.SOFT),
        "api_key_id": alert.api_key_id or None,
    }
