"""The official client before the simulation in this very process: no socket, for long histories."""

import json
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe

from billing.simulated.exchange import Answer, Request
from billing.simulated.simulation import Settings
from billing.simulated.site import Site
from billing.stripe_access import StripeAccess
from tests.billing.stripe_server import BEGINNING, KEY, SECRET
from tests.webhooks.receivers import Received


class InProcess(stripe.HTTPClient):
    """Hands requests to a site as its server does, and brings back what it answers."""

    name = "in-process"

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        parts = urlsplit(url)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        body = (post_data or "").encode()
        request = Request(method.upper(), parts.path, parts.query, named, body)
        answer = self.site.answer(request)
        return answer.body.decode(), answer.status, answer.headers

    def close(self) -> None:
        """Nothing is open."""


class Bench:
    """A simulation of its own, on a clock that stands still, with what is needed to drive it."""

    def __init__(self) -> None:
        self.site = Site(":memory:", Settings("http://stripe.test", key=KEY))
        self.client = stripe.StripeClient(
            KEY, http_client=InProcess(self.site), max_network_retries=0
        )
        self.sim = self.site.sim
        self.sim.clock.freeze()
        self.sim.clock.set(BEGINNING)

    def close(self) -> None:
        self.sim.store.close()

    def advance(self, seconds: int) -> None:
        with self.sim.store.transaction():
            self.site.control.advance({"seconds": seconds})

    def visit(self, url: str, **typed: str) -> Answer:
        body = urlencode(typed).encode()
        return self.site.answer(Request("POST", urlsplit(url).path, body=body))

    def events(self) -> list[dict[str, Any]]:
        """All that happened, the oldest first."""
        with self.sim.store.transaction():
            return self.sim.store.all("event")[::-1]


class InProcessServer:
    """A bench that is used like a server. Its events are signed as they are asked for."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.at_first = b""
        self.received: list[Received] = []
        self.receiver = SimpleNamespace(received=self.received)
        self.transport = InProcess(self.bench.site)
        self.client = stripe.StripeClient(KEY, http_client=self.transport, max_network_retries=0)

    @property
    def access(self) -> StripeAccess:
        return StripeAccess("simulated", KEY, SECRET, transport=self.transport)

    def remember(self) -> None:
        """Begin with what there is now, from here on."""
        self.at_first = self.bench.sim.store.sql.serialize()

    def begin(self) -> None:
        self.bench.close()
        self.bench = Bench()
        if self.at_first:
            self.bench.sim.store.sql.deserialize(self.at_first)
        self.transport.site = self.bench.site
        self.received.clear()

    def settle(self) -> None:
        for event in self.bench.events()[len(self.received) :]:
            body = json.dumps(event)
            header = stripe.WebhookSignature.generate_signature_header(
                body, SECRET, int(time.time())
            )
            self.received.append(Received({"stripe-signature": header}, body.encode()))

    def control(self, verb: str, **given: Any) -> Any:
        request = Request(
            "POST",
            f"/_control/{verb}",
            headers={"authorization": f"Bearer {KEY}"},
            body=json.dumps(given).encode(),
        )
        answer = self.bench.site.answer(request)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def advance(self, **by: int) -> None:
        self.control("advance", **by)

    def visit(self, url: str, **typed: str) -> Any:
        return SimpleNamespace(status_code=self.bench.visit(url, **typed).status)
