"""Models that nobody called lately, asked one small question each where the operator wants that.

The question goes from this worker to the provider by the road of every call from there on: the
same addresses, credentials, rules and deadlines. It passes our own API by, which has a probe of
its own, so that no account pays for it, no limit counts it and no log tells of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.utils import timezone
from redis import RedisError

from dashboard.status.facts import is_public
from dashboard.status.parts import Kind, State
from dashboard.status.probes import Found, Probe
from dashboard.status.traffic import called_lately
from gateway.catalog import Offer, Route, offers_now
from gateway.models import LanguageModel
from gateway.trial_call import Verdict, ask

log = logging.getLogger(__name__)
EVERY = timedelta(minutes=15)
AT_ONCE = 10  # models in one round
PATIENCE = 45.0  # seconds for all routes of a model: a round is over before the next begins
ALIVE = {Verdict.ANSWERS, Verdict.REFUSED}  # it is there, and did not like the question


def ask_quiet() -> None:
    """Ask the models whose turn it is, all at the same time, and write down how that went."""
    now = timezone.now()
    try:
        chosen = whose_turn([offer for offer in offers_now() if is_public(offer)], now)
    except RedisError:
        log.warning("no model was probed: who was called lately is not known")
        return
    rows = LanguageModel.objects.in_bulk(
        [offer.model_id for offer in chosen], field_name="model_id"
    )
    asked = [(offer, rows[offer.model_id]) for offer in chosen if offer.model_id in rows]
    for (offer, _), found in zip(asked, asyncio.run(ask_each(asked)), strict=True):
        Probe.objects.note(Kind.MODEL, offer.model_id, found)


def whose_turn(offers: list[Offer], now: datetime) -> list[Offer]:
    """Those that nobody called and no probe asked lately, the longest unasked first.

    One that has just failed is asked again at once: two failures make a state. Raises RedisError.
    """
    probes = {probe.name: probe for probe in Probe.objects.filter(kind=Kind.MODEL)}
    called = called_lately(offers)
    long_ago = now - timedelta(days=365)

    def asked_at(offer: Offer) -> datetime:
        probe = probes.get(offer.model_id)
        return probe.asked_at if probe else long_ago

    def is_due(offer: Offer) -> bool:
        probe = probes.get(offer.model_id)
        return asked_at(offer) <= now - EVERY or bool(probe and probe.failures)

    due = [offer for offer in offers if offer.model_id not in called and usable(offer)]
    return sorted(filter(is_due, due), key=asked_at)[:AT_ONCE]


def usable(offer: Offer) -> list[Route]:
    """The routes by which a call would go, in their order."""
    return [one for one in offer.routes if one.credential is not None and not one.switched_off]


async def ask_each(asked: Iterable[tuple[Offer, LanguageModel]]) -> list[Found]:
    return await asyncio.gather(*(found_of(offer, model) for offer, model in asked))


async def found_of(offer: Offer, model: LanguageModel) -> Found:
    """From route to route until one answers, as for a call."""
    verdicts: list[Verdict] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            for route in usable(offer):
                verdicts.append((await ask(route, model)).verdict)
                if verdicts[-1] in ALIVE:
                    return Found(State.WORKS, "It answered a probe.")
    if Verdict.LIMITED in verdicts:
        return Found(State.DEGRADED, "Its provider takes no more calls just now.")
    return Found(State.DOWN, "It did not answer a probe.")
