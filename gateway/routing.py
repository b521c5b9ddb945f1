"""From route to route until one answers: in order of priority, by weight within one.

Another route is asked only while the client has not had a byte, at most ``MAX_RETRIES`` times, and
within a budget: when everything fails, asking again would only add to the load.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from gateway.call import Call
from gateway.catalog import Offer, Route
from gateway.errors import APIError, InvalidRequest, ModelUnavailable, UpstreamLimited
from gateway.meter import Meter
from gateway.refusals import OPERATORS, SWITCHED_OFF, as_error, refusal_of
from gateway.upstream import Answer, UpstreamBroken

if TYPE_CHECKING:
    from gateway.asgi import Gateway

log = logging.getLogger(__name__)
MAX_RETRIES = 2
CLOSED = 30  # seconds until somebody may have opened a route that is closed by hand
TOTAL = 600.0  # seconds that all attempts together may take


@dataclass(frozen=True, slots=True)
class Errand:
    """What is sent to whichever provider is asked, and what becomes of its answer."""

    path: str
    body_for: Callable[[Route], bytes]  # in the provider's words
    relay: Callable[[Answer], Awaitable[None]]


class RetryBudget:
    """Of one process: a retry for every fifth call, and two a second in any case."""

    PER_CALL, PER_SECOND, MOST = 0.2, 2.0, 50.0

    def __init__(self) -> None:
        self._left = self.MOST
        self._at = time.monotonic()

    def call(self) -> None:
        """A call came in."""
        self._left = min(self.MOST, self._left + self.PER_CALL)

    def take(self) -> bool:
        """Whether there may be another attempt."""
        now = time.monotonic()
        earned = (now - self._at) * self.PER_SECOND
        self._left, self._at = min(self.MOST, self._left + earned), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def in_turn(routes: tuple[Route, ...]) -> Iterator[Route]:
    """By priority; within one in an order drawn by weight, with those of weight 0 at the end."""
    if len(routes) == 1:
        yield routes[0]
        return
    for _, group in groupby(routes, key=lambda route: route.priority):
        yield from sorted(group, key=lot, reverse=True)


def lot(route: Route) -> float:
    """Efraimidis and Spirakis: the greatest of u^(1/weight) is each route's in its share."""
    return random.random() ** (1 / route.weight) if route.weight else -random.random()  # noqa: S311


async def first_answer(
    gateway: Gateway, call: Call, meter: Meter, offer: Offer, errand: Errand
) -> None:
    """Raise what the last route said if none answers."""
    gateway.retries.call()
    began, attempts = time.monotonic(), 0
    error: APIError | None = None
    for route in in_turn(offer.routes):
        reason = passed_over(gateway, route)
        if reason is None and not await gateway.breakers.enter(route.pk):
            reason = "open"
        if reason is None and attempts and not (attempts <= MAX_RETRIES and gateway.retries.take()):
            gateway.breakers.left(route.pk)
            reason = "no more retries"
        if reason:
            meter.considered(route, reason)
            continue
        attempts += 1
        within = TOTAL - (time.monotonic() - began) if error else None
        error = await attempt(gateway, meter, offer, errand, route, within)
        if error is None:
            return
        if call.status is not None or isinstance(error, InvalidRequest):
            raise error
    raise error or unavailable(gateway, offer)


def passed_over(gateway: Gateway, route: Route) -> str | None:
    """Why a route is not asked, in words; None if it is."""
    if route.closed:
        return route.closed
    if route.credential is None:
        return "not configured"
    return "open" if gateway.breakers.waits(route.pk) else None


async def attempt(
    gateway: Gateway,
    meter: Meter,
    offer: Offer,
    errand: Errand,
    route: Route,
    within: float | None,
) -> APIError | None:
    """Ask one route, and judge it by that; what went wrong, if anything did."""
    ask = partial(exchange, gateway, meter, offer, errand, route, within)
    error: APIError | None = None
    asked = len(meter.attempts)
    try:
        try:
            await ask()
        except UpstreamBroken as trouble:
            if not trouble.stale:
                raise
            await ask()  # on a new connection: that one had ended while it was idle
    except (APIError, UpstreamBroken) as trouble:
        error = as_error(trouble)
    except BaseException:  # the client left, or something of ours failed
        gateway.breakers.left(route.pk)
        raise
    if len(meter.attempts) > asked:
        judge(gateway, route, error, meter.attempts[-1].ms)
    else:  # its rules did not let the request through, so nobody was asked
        gateway.breakers.left(route.pk)
    return error


def judge(
    gateway: Gateway, route: Route, error: APIError | None, first_byte_ms: int | None
) -> None:
    """Tell its breaker and whoever looks at its health how it did."""
    if error and error.code == SWITCHED_OFF:  # by an operator: that says nothing about the route
        gateway.breakers.left(route.pk)
        return
    well = error is None or isinstance(error, InvalidRequest)
    gateway.pulse.saw(route.pk, first_byte_ms, failed=not well)
    if isinstance(error, UpstreamLimited):
        gateway.breakers.limited(route.pk, error.retry_after or 1)
    elif well:
        gateway.breakers.succeeded(route.pk)
    else:
        gateway.breakers.failed(route.pk)


async def exchange(
    gateway: Gateway,
    meter: Meter,
    offer: Offer,
    errand: Errand,
    route: Route,
    within: float | None,
) -> None:
    """One request to a provider, and its answer to the client. Raises APIError, UpstreamBroken."""
    sent = errand.body_for(route)
    tried = meter.tries(route)
    post = gateway.upstream.post(route, errand.path, sent, within=within)
    try:
        async with post as answer:
            tried.status = answer.status
            tried.ms = meter.call.elapsed_ms() - (tried.began_ms or 0)
            if answer.status in OPERATORS:
                log.warning("%s answers %s to our credentials", route.provider, answer.status)
            if answer.status != 200:
                raise await refusal_of(answer, offer.context_window)
            tried.outcome = "answered"
            await errand.relay(answer)
    except (APIError, UpstreamBroken) as trouble:
        tried.outcome = str(getattr(trouble, "reason", "") or getattr(trouble, "code", ""))
        raise


def unavailable(gateway: Gateway, offer: Offer) -> ModelUnavailable:
    """Nobody could be asked: when somebody can, or that nobody ever can."""
    configured = [route for route in offer.routes if route.credential is not None]
    if not configured:
        return ModelUnavailable(
            f"No provider of '{offer.model_id}' is configured on this server.",
            code="provider_not_configured",
            should_retry=False,
        )
    waits = [gateway.breakers.waits(route.pk) for route in configured if not route.closed]
    nearest = min(waits, default=CLOSED)
    return ModelUnavailable(
        "The model is temporarily unavailable.", retry_after=max(1, math.ceil(nearest))
    )
