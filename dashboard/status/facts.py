"""How everything is, judged by what is at hand: real calls, what waits, and that we answer.

Nothing is asked of providers for it. Shares are told, never numbers: how much is called here is
nobody's business.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Exists, OuterRef
from redis import RedisError

from dashboard.models_page import Listed
from dashboard.status.parts import Kind, Part, State
from dashboard.templatetags.figures import percent
from gateway.catalog import Offer, offers_now
from usage import model_hours
from usage.model_hours import Lately
from usage.segments import NAME, abandoned
from webhooks.models import Delivery

HOUR = timedelta(hours=1)  # and what of the hour before belongs to the same sums
FEW, ENOUGH = 3, 20  # calls that say that nothing works, or that something does not
TROUBLE, BROKEN = 0.1, 0.5  # shares of calls that failed
LATE, VERY_LATE = timedelta(minutes=2), timedelta(minutes=15)
UNREAD, STUCK = 60, 20 * 60  # seconds; a long call keeps its file for a quarter of an hour


@dataclass(frozen=True, slots=True)
class Fact:
    """How one thing is, and by what we know it."""

    kind: Kind
    name: str
    label: str
    state: State
    why: str


def facts(now: datetime) -> list[Fact]:
    """Of each part, then of each model that providers serve here."""
    offers = [offer for offer in offers_now() if is_public(offer)]
    lately = model_hours.lately(now, HOUR)
    fared = [(offer, lately.get(offer.model_id, Lately())) for offer in offers]
    return [*_parts(now, [known for _, known in fared]), *(of_model(*one) for one in fared)]


def is_public(offer: Offer) -> bool:
    """Whether a provider is asked for it. Our own test models fail on purpose, so they tell
    nothing; what has no credential was never offered."""
    own = f"{settings.SELF_URL}/sandbox"
    return any(
        route.credential is not None and not route.base_url.startswith(own)
        for route in offer.routes
    )


def of_model(offer: Offer, lately: Lately) -> Fact:
    state, why = _judged(offer, lately)
    return Fact(Kind.MODEL, offer.model_id, offer.model_id, state, why)


def _judged(offer: Offer, lately: Lately) -> tuple[State, str]:
    if not Listed(offer, Lately()).can_be_called:
        return State.SWITCHED_OFF, "The operators of this server have switched it off."
    share = lately.availability
    if share is None:
        return State.NO_TRAFFIC, "Nobody has called it within the last hour or two."
    why = f"{percent(share)} of the calls of the last hour or two were answered."
    if lately.seen >= FEW and not lately.ok:
        return State.DOWN, why
    return (State.DEGRADED if _troubled(lately, TROUBLE) else State.WORKS), why


def _troubled(lately: Lately, most: float) -> bool:
    return lately.seen >= ENOUGH and lately.failed / lately.seen >= most


def _parts(now: datetime, fared: Iterable[Lately]) -> Iterator[Fact]:
    judged = {
        Part.API: _api(fared),
        Part.DASHBOARD: (State.WORKS, "It has just answered."),
        Part.WEBHOOKS: _webhooks(now),
        Part.LOG: _log(),
    }
    for part, (state, why) in judged.items():
        yield Fact(Kind.PART, part.value, str(part.label), state, why)


def _api(fared: Iterable[Lately]) -> tuple[State, str]:
    try:
        cache.get("status")
    except RedisError:
        return State.DEGRADED, "The server that counts limits does not answer."
    several = list(fared)
    total = Lately(sum(one.ok for one in several), sum(one.failed for one in several))
    if total.availability is None:
        return State.WORKS, "It answers; nobody has called a model within the last hour or two."
    why = f"{percent(total.availability)} of the calls of the last hour or two were answered."
    if _troubled(total, BROKEN):
        return State.DOWN, why
    return (State.DEGRADED if _troubled(total, TROUBLE) else State.WORKS), why


def _webhooks(now: datetime) -> tuple[State, str]:
    """By what is due for longest at a receiver that takes what it is sent. One that is being sent
    something gets it one by one: how long its others wait is its own doing."""
    pending = Delivery.objects.filter(status=Delivery.Status.PENDING)
    being_sent = pending.filter(endpoint=OuterRef("endpoint"), claimed_until__gt=now)
    due = pending.filter(
        next_attempt_at__lte=now,
        endpoint__disabled_at=None,
        endpoint__failing_since=None,
    ).exclude(Exists(being_sent))
    since = due.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    late_by = now - since if since else timedelta()
    if late_by < LATE:
        return State.WORKS, "Whatever is due is sent at once."
    why = f"What is due is sent {late_by.total_seconds() // 60:.0f} minutes late."
    return (State.DOWN if late_by >= VERY_LATE else State.DEGRADED), why


def _log() -> tuple[State, str]:
    """By the journal of this host: whether something in it waits, and nobody takes it."""
    waits = _unread_for()
    if waits < UNREAD:
        return State.WORKS, "Calls are in the log within seconds."
    if waits < STUCK and not abandoned_lock():
        return State.WORKS, "Calls are in the log within seconds."
    return State.DEGRADED, "Calls are kept, but come into the log late."


def abandoned_lock() -> bool:
    """Whether no recorder is at work here."""
    with abandoned(settings.JOURNAL_DIR / "recorder.lock") as nobody:
        return nobody


def _unread_for() -> float:
    """How old the oldest file of the journal is that its writer has finished; in seconds."""
    now, oldest = time.time(), 0.0
    for path in settings.JOURNAL_DIR.glob("*.*"):
        if not (named := NAME.fullmatch(path.name)) or named["number"] == "live":
            continue
        try:
            age = now - path.stat().st_mtime
        except FileNotFoundError:  # just recorded
            continue
        oldest = max(oldest, age)
    return oldest
