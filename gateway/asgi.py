"""The gateway as an ASGI application: /v1 without a framework, because the routes are few."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway import (
    database,
    endpoints,
    event_inquiry,
    explanations,
    inquiries,
    leaks,
    openapi,
    sse,
    usage_inquiry,
)
from gateway.allowance import Allowance
from gateway.auth import Callers, key_in
from gateway.breakers import Breakers
from gateway.call import Call, Receive, Scope, Send
from gateway.caller import Caller
from gateway.captures import Captures
from gateway.catalog import Catalog
from gateway.counters import all_spent
from gateway.decisions import Decision
from gateway.errors import (
    APIError,
    ClientLeft,
    Unavailable,
    UnknownEndpoint,
    UnknownModel,
    WrongMethod,
)
from gateway.guesses import Guesses
from gateway.heartbeat import Heartbeat
from gateway.intake import check_head
from gateway.limits import Cold, Limiter, Stale
from gateway.meter import Meter
from gateway.pulse import Pulse
from gateway.routing import RetryBudget
from gateway.standby import GRANTED
from gateway.upstream import Upstream
from usage.journal import Journal

if TYPE_CHECKING:
    from gateway.spans import Spans

log = logging.getLogger(__name__)
Endpoint = Callable[["Gateway", Call], Awaitable[None]]
ROUTES: dict[str, tuple[str, Endpoint]] = {
    "/v1/chat/completions": ("POST", endpoints.chat_completions),
    "/v1/completions": ("POST", endpoints.completions),
    "/v1/embeddings": ("POST", endpoints.embeddings),
    "/v1/events": ("GET", event_inquiry.events),
    "/v1/models": ("GET", inquiries.models),
    "/v1/key": ("GET", inquiries.key),
    "/v1/leaked-key": ("POST", leaks.leaked_key),
    "/v1/leaked-keys": ("POST", leaks.leaked_keys),
    "/v1/limits": ("GET", inquiries.limits),
    "/v1/openapi.json": ("GET", openapi.openapi),
    "/v1/usage": ("GET", usage_inquiry.usage),
}
BELOW: dict[str, tuple[str, Endpoint]] = {  # with a name at the end
    inquiries.MODELS: ("GET", inquiries.model),
    explanations.EXPLAIN: ("GET", explanations.explain),
}
CLIENT_LEFT = 499
TURNED_AWAY = 60  # calls a minute with a key that nobody may use, which its log tells of


@dataclass(frozen=True, slots=True)
class Gateway:
    """What every call shares; ``__call__`` is the boundary that no error passes."""

    callers: Callers
    reports: Guesses
    catalog: Catalog
    limiter: Limiter
    journal: Journal
    upstream: Upstream
    breakers: Breakers
    heartbeat: Heartbeat
    retries: RetryBudget
    pulse: Pulse
    captures: Captures
    spans: Spans | None  # None where nobody traces
    turned_away: Allowance = field(default_factory=lambda: Allowance(TURNED_AWAY, 60.0))
    restoring: dict[tuple[int, str], asyncio.Task[None]] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope, receive, send)
        try:
            check_head(scope, call.headers)
            await self.endpoint_for(call)(self, call)
        except APIError as error:
            await self.refuse(call, error)
        except ClientLeft:
            self.finish(call, CLIENT_LEFT, "client_disconnect")
        except asyncio.CancelledError:
            self.finish(call, CLIENT_LEFT, "client_disconnect")
            raise
        except Exception:
            log.exception("%s failed", call.request_id)
            await self.refuse(call, APIError("Something went wrong on our side."))
        finally:
            if self.spans:
                self.spans.saw(call)
            if call.answered is not None:
                self.captures.keep(call)
            call.meter = call.error = None  # else they hold each other and the body

    def endpoint_for(self, call: Call) -> Endpoint:
        """Raises UnknownEndpoint, WrongMethod."""
        path = call.path.rstrip("/")
        route = ROUTES.get(path)
        if route is None:
            route = next((BELOW[start] for start in BELOW if path.startswith(start)), None)
        if route is None:
            raise UnknownEndpoint(f"There is nothing at this address. {hint(call, path)}")
        method, endpoint = route
        if call.method == "OPTIONS":
            return preflight
        if call.method != method and (call.method, method) != ("HEAD", "GET"):
            allow = "GET, HEAD, OPTIONS" if method == "GET" else f"{method}, OPTIONS"
            raise WrongMethod(f"{path} takes {method} only.", allow=allow)
        return endpoint

    async def authenticate(self, call: Call, endpoint: str) -> Meter:
        """Who calls, with a meter that runs from now on.

        Of a storm with a key that nobody may use, the log tells of the beginning only.
        Raises NotAuthenticated, NotPermitted, RateLimited, Unavailable.
        """
        if call.query and (exposed := key_in(call.query)):
            await self.callers.expose(exposed, call.ip)
        caller = await self.callers.authenticate(call.headers, call.ip, call.vouched)
        meter = Meter(call, caller, self.journal, self.limiter, endpoint)
        if caller.barred is None or self.turned_away.take(caller.api_key_id):
            call.meter = meter
            meter.capture()
        caller.require_use(call.ip, endpoint)
        return meter

    async def admit(self, meter: Meter, tokens: int) -> None:
        """Write down the intent, then reserve a request and ``tokens`` under every limit.

        In this order, so that the recorder can give back what a killed process had reserved.
        Raises RateLimited, Unavailable.
        """
        meter.intend(tokens)
        await self.decide(
            meter,
            lambda: self.limiter.admit(
                meter.caller.account_id,
                meter.caller.epoch,
                meter.caller.policy,
                lease=meter.lease,
                tokens=tokens,
            ),
        )
        decision, meter.decided_ms = meter.decision, meter.call.elapsed_ms()
        assert decision is not None
        if not decision.admitted:
            raise decision.refusal()
        meter.reserved = True
        if decision.degraded:
            meter.lease = GRANTED + meter.lease

    async def rehearse(self, meter: Meter, tokens: int) -> None:
        """What ``admit`` would decide just now. Raises Unavailable."""
        await self.decide(
            meter,
            lambda: self.limiter.rehearse(
                meter.caller.account_id, meter.caller.epoch, meter.caller.policy, tokens=tokens
            ),
        )

    async def show_limits(self, meter: Meter) -> None:
        """Put the state of the limits into the headers of an answer that reserves nothing."""
        await self.decide(
            meter,
            lambda: self.limiter.peek(
                meter.caller.account_id, meter.caller.epoch, meter.caller.policy
            ),
        )

    async def decide(self, meter: Meter, ask: Callable[[], Awaitable[Decision]]) -> None:
        """Ask; where we or Redis know too little, learn it from PostgreSQL and ask again."""
        for _ in range(3):
            try:
                meter.decision = await ask()
            except Stale:
                call = meter.call
                meter.renew(await self.callers.reload(call.headers, call.ip, call.vouched))
            except Cold:
                await self.restore(meter.caller)
            else:
                meter.call.response_headers += meter.decision.headers
                return
        raise Unavailable("Limits are being updated; try again.")

    async def restore(self, caller: Caller) -> None:
        """Give Redis what PostgreSQL knows of this caller's use, once for all who wait for it.

        Raises Unavailable.
        """
        whose = caller.account_id, caller.policy.own_counters
        restoring = self.restoring.get(whose)
        if restoring is None:
            restoring = self.restoring[whose] = asyncio.create_task(self._restore(caller))
            restoring.add_done_callback(lambda _: self.restoring.pop(whose, None))
        await asyncio.shield(restoring)

    async def _restore(self, caller: Caller) -> None:
        now, own_counters = datetime.now(UTC), caller.policy.own_counters
        who = caller.account_id, now, caller.api_key_id, own_counters
        spent = await database.query(all_spent, *who)
        await self.limiter.restore(caller.account_id, caller.epoch, now, spent)

    async def refuse(self, call: Call, error: APIError) -> None:
        """Answer with the envelope, a row in the log, and to who may call the limits' headers."""
        call.error, meter = error, call.meter
        if meter and isinstance(error, UnknownModel):
            meter.requested_model = error.asked
        if meter and meter.decision is None and not meter.caller.barred:
            try:
                await self.show_limits(meter)
            except APIError as other:  # the refusal itself stands
                log.info("%s is answered without its limits: %s", call.request_id, other)
        self.finish(call, call.status or error.status, error.outcome, error)
        if call.status is None:
            call.response_headers += error.headers()
            await call.answer(error.status, error.body(call.request_id))
        elif not call.ended:  # a stream: one bare event, and no [DONE]
            await call.write(sse.event(error.body(call.request_id)), more=False)

    def finish(self, call: Call, status: int, outcome: str, error: APIError | None = None) -> None:
        if call.meter:
            call.meter.finish(status, outcome, error)


def hint(call: Call, path: str) -> str:
    """What was probably meant by ``path``: people forget the /v1 of a base URL, or say it twice."""
    meant = re.sub("^(/v1)*", "/v1", path, count=1)
    if meant in ROUTES or any(meant.startswith(start) for start in BELOW):
        return f"Did you mean {call.root}{meant}?"
    known = [*ROUTES, *(f"{start}…" for start in BELOW)]
    return f"Known are {', '.join(call.root + address for address in known)}."


async def preflight(_: Gateway, call: Call) -> None:
    """Tell a browser what its page may send us (the CORS protocol of the Fetch standard)."""
    asked = call.headers.get(b"access-control-request-headers", b"authorization, content-type")
    await call.start(
        204,
        [
            (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
            (b"access-control-allow-headers", asked),
            (b"access-control-max-age", b"86400"),
            (b"vary", b"access-control-request-headers"),
        ],
    )
    await call.write(b"", more=False)
