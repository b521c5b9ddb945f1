"""How everything is, judged by what is at hand: real calls, what waits, and the newest probes.

Shares are told, never numbers: how much is called here is nobody's business.
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
from dashboard.status.probes import Probe
from dashboard.status.traffic import called_lately
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
FROM_TRAFFIC, FROM_QUEUE = "from traffic", "from what waits to be sent"
FROM_JOURNAL = "from the journal"
UNREAD, STUCK = 60, 20 * 60  # seconds; a long call keeps its file for a quarter of an hour


Probes = dict[tuple[str, str], Probe]


@dataclass(frozen=True, slots=True)
class Fact:
    """How one thing is, why, and what that rests on."""

    kind: Kind
    name: str
    label: str
    state: State
    why: str
    rests_on: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The same of something that has no name yet."""

    state: State
    why: str
    rests_on: str = ""


ANSWERED = Judgement(State.WORKS, "It has just answered.")


def facts(now: datetime) -> list[Fact]:
    """Of each part, then of each model that providers serve here."""
    offers = [offer for offer in offers_now() if is_public(offer)]
    lately = model_hours.lately(now, HOUR)
    fared = [(offer, lately.get(offer.model_id, Lately())) for offer in offers]
    probes = Probe.objects.fresh(now)
    newest = _newer_than_calls(offers, probes)
    return [
        *_parts(now, [known for _, known in fared], probes),
        *(of_model(*one, newest.get(one[0].model_id), now) for one in fared),
    ]


def _newer_than_calls(offers: list[Offer], probes: Probes) -> dict[str, Probe]:
    """The probes of models that nobody called since; none where that is not known."""
    of_models = {name: probe for (kind, name), probe in probes.items() if kind == Kind.MODEL}
    if not of_models:
        return {}
    try:
        called = called_lately(offers)
    except RedisError:
        return {}
    return {name: probe for name, probe in of_models.items() if name not in called}


def is_public(offer: Offer) -> bool:
    """Whether a provider is asked for it. Our own test models fail on purpose, so they tell
    nothing; what has no credential was never offered."""
    own = f"{settings.SELF_URL}/sandbox"
    return any(
        route.credential is not None and not route.base_url.startswith(own)
        for route in offer.routes
    )


def of_model(offer: Offer, lately: Lately, probe: Probe | None, now: datetime) -> Fact:
    found = _judged(offer, lately)
    if probe and found.state is not State.SWITCHED_OFF:
        found = _by_probe(probe, now)
    name = offer.model_id
    return Fact(Kind.MODEL, name, name, found.state, found.why, found.rests_on)


def _judged(offer: Offer, lately: Lately) -> Judgement:
    if not Listed(offer, Lately()).can_be_called:
        off = "The operators of this server have switched it off."
        return Judgement(State.SWITCHED_OFF, off)
    share = lately.availability
    if share is None:
        return Judgement(State.NO_TRAFFIC, "Nobody has called it within the last hour or two.")
    why = f"{percent(share)} of the calls of the last hour or two were answered."
    if lately.seen >= FEW and not lately.ok:
        return Judgement(State.DOWN, why, FROM_TRAFFIC)
    state = State.DEGRADED if _troubled(lately, TROUBLE) else State.WORKS
    return Judgement(state, why, FROM_TRAFFIC)


def _by_probe(probe: Probe, now: datetime) -> Judgement:
    """A failure that was the first one changes nothing, and is not spoken of."""
    state = probe.verdict
    why = probe.why if state.is_bad or not probe.failures else "It answered the probe before."
    return Judgement(state, why, f"from a probe, {probe.age(now)} ago")


def _troubled(lately: Lately, most: float) -> bool:
    return lately.seen >= ENOUGH and lately.failed / lately.seen >= most


def _parts(now: datetime, fared: Iterable[Lately], probes: Probes) -> Iterator[Fact]:
    by_probe = {
        name: _by_probe(probe, now) for (kind, name), probe in probes.items() if kind == Kind.PART
    }
    judged = {
        Part.API: _api(fared, by_probe.get(Part.API)),
        Part.DASHBOARD: by_probe.get(Part.DASHBOARD) or ANSWERED,
        Part.WEBHOOKS: _webhooks(now),
        Part.LOG: _log(),
    }
    for part, found in judged.items():
        label = str(part.label)
        yield Fact(Kind.PART, part.value, label, found.state, found.why, found.rests_on)


def _api(fared: Iterable[Lately], probed: Judgement | None) -> Judgement:
    """By the probe where that went wrong, else by what callers saw, else by the probe again."""
    try:
        cache.get("status")
    except RedisError:
        return Judgement(State.DEGRADED, "The server that counts limits does not answer.")
    if probed and probed.state.is_bad:
        return probed
    several = list(fared)
    total = Lately(sum(one.ok for one in several), sum(one.failed for one in several))
    if total.availability is None:
        return probed or Judgement(State.WORKS, "Nobody has called a model for an hour or two.")
    why = f"{percent(total.availability)} of the calls of the last hour or two were answered."
    if _troubled(total, BROKEN):
        return Judgement(State.DOWN, why, FROM_TRAFFIC)
    state = State.DEGRADED if _troubled(total, TROUBLE) else State.WORKS
    return Judgement(state, why, FROM_TRAFFIC)


def _webhooks(now: datetime) -> Judgement:
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
        return Judgement(State.WORKS, "Whatever is due is sent at once.", FROM_QUEUE)
    why = f"What is due is sent {late_by.total_seconds() // 60:.0f} minutes late."
    state = State.DOWN if late_by >= VERY_LATE else State.DEGRADED
    return Judgement(state, why, FROM_QUEUE)


def _log() -> Judgement:
    """By the journal of this host: whether something in it waits, and nobody takes it."""
    waits = _unread_for()
    if waits < UNREAD or (waits < STUCK and not abandoned_lock()):
        return Judgement(State.WORKS, "Calls are in the log within seconds.", FROM_JOURNAL)
    late = "Calls are kept, but come into the log late."
    return Judgement(State.DEGRADED, late, FROM_JOURNAL)


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
