"""The official client before the simulation in this very process: no socket, for long histories."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe

from billing.simulated.exchange import Answer, Request
from billing.simulated.simulation import Settings
from billing.simulated.site import Site
from tests.billing.stripe_server import BEGINNING, KEY


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
