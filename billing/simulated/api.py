"""The API: who asks, under which idempotency key, for what; answered once it is kept."""

import hashlib
import secrets
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import stripe

from billing.simulated import listing, parameters, routes, timetable
from billing.simulated.errors import (
    AttemptFailed,
    InvalidRequest,
    KeyReused,
    NotAuthenticated,
    StripeError,
)
from billing.simulated.events import public
from billing.simulated.exchange import Answer, Request
from billing.simulated.simulation import Origin, Simulation

REMEMBERED = 10_000  # requests, for whoever wants to check them


@dataclass
class API:
    sim: Simulation
    asked: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def answer(self, request: Request) -> Answer:
        """Within one transaction; what is refused has changed nothing, unless a card was tried."""
        request_id = f"req_{secrets.token_hex(7)}"
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        with self.sim.store.transaction():
            self.sim.origin = Origin(request_id, key)
            try:
                check(self.sim, request)
                answer = self.once(request, key) if key else self.perform(request)
            except StripeError as error:
                answer = refusal(error)
        self.note(request, answer)
        named = {"request-id": request_id, "stripe-version": stripe.api_version}
        return replace(answer, headers={**answer.headers, **named})

    def once(self, request: Request, key: str) -> Answer:
        """The answer that was given to this very request before, if there was one."""
        question = digest(request)
        known = self.sim.store.answer(key)
        if known:
            if known[0] != question:
                raise KeyReused(f"The idempotency key {key!r} was used for something else.")
            headers = {"content-type": "application/json", "idempotent-replayed": "true"}
            return Answer(known[1], known[2], headers)
        answer = self.perform(request)
        if answer.status in (200, 402):  # else nothing has been begun
            self.sim.store.keep_answer(key, question, answer.status, answer.body)
        return answer

    def perform(self, request: Request) -> Answer:
        timetable.pass_time(self.sim)
        try:
            with self.sim.store.transaction():
                try:
                    return Answer.json(self.result(request))
                except AttemptFailed as error:
                    return refusal(error)
        except StripeError as error:
            return refusal(error)

    def result(self, request: Request) -> Any:
        route, keys = routes.find(request.method, request.path)
        given = parameters.read(encoded(request), route.takes)
        paths = given.pop("expand", [])
        found = route.answer(self.sim, given, *keys)
        if isinstance(found, list):
            found = listing.page(found, given, request.path)
        document = public(found)
        for path in paths:
            listing.expand(self.sim, document, path)
        return document

    def note(self, request: Request, answer: Answer) -> None:
        noted = {"method": request.method, "path": request.path, "status": answer.status}
        try:
            noted["params"] = parameters.decode(encoded(request))
        except InvalidRequest:
            noted["params"] = {}
        self.asked.append(noted)


def encoded(request: Request) -> str:
    return request.body.decode(errors="replace") if request.method == "POST" else request.query


def digest(request: Request) -> str:
    """The same for the same request, in whatever order its parameters come."""
    pairs = sorted(parse_qsl(encoded(request), keep_blank_values=True))
    return hashlib.sha256(repr((request.path, pairs)).encode()).hexdigest()


def check(sim: Simulation, request: Request) -> None:
    """Raises NotAuthenticated, and InvalidRequest for a version whose shapes are not ours."""
    if not secrets.compare_digest(request.token.encode(), sim.settings.key.encode()):
        given = f"{request.token[:8]}…{request.token[-4:]}" if request.token else "none"
        raise NotAuthenticated(f"This is not the key of the simulation: {given}")
    version = request.headers.get("stripe-version", stripe.api_version)
    if version != stripe.api_version:
        raise InvalidRequest(f"Only the version {stripe.api_version} is simulated, not {version}.")


def refusal(error: StripeError) -> Answer:
    return Answer.json({"error": error.document}, error.status)
