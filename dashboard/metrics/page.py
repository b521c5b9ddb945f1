"""The page itself: who may see it, and one reading for all who ask within a few seconds."""

import asyncio
import hmac
import time
from collections.abc import Iterator
from functools import partial

from django.conf import settings
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from accounts.origin import within
from dashboard.inner_call import GATEWAY
from dashboard.metrics import of_calls, of_host, of_people, of_routes, of_stores
from dashboard.metrics.families import gauges
from dashboard.metrics.reading import Database, Readings, Store
from gateway.asgi import Gateway
from gateway.call import JSON, Call, Receive, Scope, Send
from gateway.catalog import Catalog
from gateway.errors import Headers
from gateway.heartbeat import Heartbeat

FRESH = 3.0  # seconds; a storm of scrapes costs no more than one every so often
PLAIN: Headers = [(b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode())]
ABSENT = b'{"error":"There is nothing at this address."}'
UNKNOWN = b'{"error":"Send the token of the metrics as a bearer token."}'


async def metrics(scope: Scope, receive: Receive, send: Send) -> None:
    """The metrics to whom the settings let in; for everybody else there is nothing here."""
    call = Call(scope, receive, send)
    gateway: Gateway | None = scope.get(GATEWAY)
    peer: str = scope["client"][0] if scope.get("client") else ""
    networks = settings.METRICS_NETWORKS
    is_there = comes_from_within(call, peer) if networks else bool(settings.METRICS_TOKEN)
    if gateway is None or not is_there:
        await call.answer(404, ABSENT)
    elif settings.METRICS_TOKEN and not knows_token(call):
        await call.answer(401, UNKNOWN, [*JSON, (b"www-authenticate", b"Bearer")])
    else:
        await call.answer(200, await page_of(gateway).body(), PLAIN)


def comes_from_within(call: Call, peer: str) -> bool:
    """Whether the caller is in our networks. Who came through a proxy that we do not know is not:
    the address would be the proxy's, for all the world.
    """
    hidden = b"x-forwarded-for" in call.headers and call.ip == peer
    return not hidden and within(call.ip, settings.METRICS_NETWORKS)


def knows_token(call: Call) -> bool:
    kind, _, token = call.header(b"authorization").partition(" ")
    expected: str = settings.METRICS_TOKEN
    known = hmac.compare_digest(token.strip().encode(), expected.encode())
    return kind.lower() == "bearer" and known


class Page:
    """What was read last, and for how long that is good."""

    def __init__(self, catalog: Catalog, heartbeat: Heartbeat) -> None:
        self._stores = stores(catalog, heartbeat)
        self._body, self._good_until = b"", 0.0
        self._reading: asyncio.Task[None] | None = None

    async def body(self) -> bytes:
        if time.monotonic() >= self._good_until:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)
        return self._body

    async def _read(self) -> None:
        found: Readings = {}
        for readings in await asyncio.gather(*(store.read() for store in self._stores)):
            found |= readings
        self._body = generate_latest(Found(found))
        self._good_until = time.monotonic() + FRESH


class Found(Collector):
    """What the sources said, and which of them said nothing."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        for metrics in self._readings.values():
            yield from metrics or ()
        yield gauges(
            "scrape_errors",
            "Whether a source could not be read this time.",
            "source",
            {name: found is None for name, found in self._readings.items()},
        )


def stores(catalog: Catalog, heartbeat: Heartbeat) -> list[Store]:
    """Every source there is. One that is about everybody says the same on each host."""
    return [
        Database(
            "postgresql",
            {
                "postgresql": of_stores.postgresql,
                "calls": of_calls.calls,
                "refusals": of_calls.refusals,
                "models": of_calls.models,
                "durations": of_calls.durations,
                "accounts": of_people.accounts,
                "subscriptions": of_people.subscriptions,
                "notices": of_people.notices,
                "stripe": of_people.stripe,
                "webhooks": of_people.webhooks,
            },
        ),
        Store(
            "redis",
            {
                "redis": of_stores.memory,
                "queues": of_stores.queues,
                "routes": partial(of_routes.routes, catalog),
            },
        ),
        Store(
            "host",
            {
                "journal": of_host.journal,
                "disk": of_host.disk,
                "process": partial(of_host.process, heartbeat),
            },
        ),
    ]


_page: Page | None = None


def page_of(gateway: Gateway) -> Page:
    """The one of this process, which has one gateway."""
    global _page
    if _page is None:
        _page = Page(gateway.catalog, gateway.heartbeat)
    return _page
