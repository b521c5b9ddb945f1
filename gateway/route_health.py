"""How routes and providers fare, for a page: what all processes counted, read from Redis."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import redis
from django.conf import settings

from gateway import breakers
from gateway.pulse import HOUR, KEYS, MINUTE, RUNNING
from usage import histograms

PATIENCE = 1.0  # seconds for one answer of Redis
LATELY, DAY = 15, 24  # minutes and hours, of which the present one has just begun
SILENT = 10  # seconds after which a process that says nothing runs nothing
Sums = dict[int, "Health"]


@dataclass(slots=True)
class Health:
    """How often one route, or several, were asked in a period, and what came of it.

    ``failed`` is trouble of the provider: not what was wrong with a request, and not what we cut
    off ourselves.
    """

    calls: int = 0
    failed: int = 0
    first_byte: list[int] = field(default_factory=list)  # a histogram

    def __add__(self, other: Health) -> Health:
        merged = histograms.add(self.first_byte, other.first_byte)
        return Health(self.calls + other.calls, self.failed + other.failed, merged)

    @property
    def error_share(self) -> float | None:
        """Of all calls, from 0 to 1; None where there were none."""
        return self.failed / self.calls if self.calls else None

    @property
    def p50_ms(self) -> float | None:
        """The time to the first byte that half of the answers kept to."""
        return histograms.percentile(self.first_byte, 0.5)

    @property
    def p95_ms(self) -> float | None:
        return histograms.percentile(self.first_byte, 0.95)


@dataclass(frozen=True, slots=True)
class Signs:
    """Of one route, or of several together.

    ``open_until`` is when the last of their breakers may be tried again; None where all are closed.
    """

    lately: Health
    day: Health
    running: int
    open_until: datetime | None
    open_routes: int


@dataclass(frozen=True, slots=True)
class RouteHealth:
    """One look at everything, by primary keys of routes."""

    at: float
    lately: Sums
    day: Sums
    running: Mapping[int, int]
    open_until: Mapping[int, float]

    @classmethod
    def now(cls) -> RouteHealth:
        """Raises redis.RedisError where it is not known."""
        at = time.time()
        periods = (MINUTE, LATELY), (HOUR, DAY)
        names = [[KEYS[step] % (at // step - n) for n in range(many)] for step, many in periods]
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            asked = client.pipeline(transaction=False)
            for name in [*names[0], *names[1], RUNNING, breakers.KEY]:
                asked.hgetall(name)
            *hashes, running, open_until = asked.execute()
        return cls(
            at,
            summed(hashes[:LATELY]),
            summed(hashes[LATELY:]),
            calls_running(running.values(), at),
            {int(route): float(moment) for route, moment in open_until.items()},
        )

    def of(self, routes: Collection[int]) -> Signs:
        """A route by itself, or all of a provider."""
        until = [self.open_until[route] for route in routes if route in self.open_until]
        still = [moment for moment in until if moment > self.at]
        return Signs(
            lately=sum((self.lately.get(route, Health()) for route in routes), Health()),
            day=sum((self.day.get(route, Health()) for route in routes), Health()),
            running=sum(self.running.get(route, 0) for route in routes),
            open_until=datetime.fromtimestamp(max(still), UTC) if still else None,
            open_routes=len(still),
        )


def summed(hashes: Iterable[Mapping[bytes, bytes]]) -> Sums:
    """What was counted in these minutes or hours, by route."""
    sums: Sums = {}
    for counted in hashes:
        for name, amount in counted.items():
            route, _, what = name.decode().partition(":")
            add(sums.setdefault(int(route), Health()), what, int(amount))
    return sums


def add(health: Health, what: str, amount: int) -> None:
    if what == "calls":
        health.calls += amount
    elif what == "failed":
        health.failed += amount
    else:
        bucket = int(what)
        health.first_byte.extend([0] * (bucket + 1 - len(health.first_byte)))
        health.first_byte[bucket] += amount


def calls_running(said: Iterable[bytes], at: float) -> dict[int, int]:
    """By route, as far as processes said so just now."""
    sums: dict[int, int] = {}
    for words in said:
        moment, *pairs = words.decode().split()
        for pair in pairs if float(moment) > at - SILENT else ():
            route, _, calls = pair.partition(":")
            sums[int(route)] = sums.get(int(route), 0) + int(calls)
    return sums
