"""The gateway as an ASGI application: /v1 without a framework, because the routes are few."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway import database, endpoints, inquiries, usage_inquiry
from gateway.auth import Callers
from gateway.call import Call, Receive, Scope, Send
from gateway.catalog import Catalog
from gateway.counters import spent_by
from gateway.decisions import Decision
from gateway.errors import (
    APIError,
    ClientLeft,
    Unavailable,
    UnknownEndpoint,
    WrongMethod,
)
from gateway.limits import Cold, Limiter, Stale
from gateway.meter import Meter
from gateway.upstream import Upstream
from usage.journal import Journal

log = logging.getLogger(__name__)
Endpoint = Callable[["Gateway", Call], Awaitable[None]]
ROUTES: dict[str, tuple[str, Endpoint]] = {
    "/v1/chat/completions": ("POST", endpoints.chat_completions),
    "/v1/embeddings": ("POST", endpoints.embeddings),
    "/v1/models": ("GET", inquiries.models),
    "/v1/key": ("GET", inquiries.key),
    "/v1/limits": ("GET", inquiries.limits),
    "/v1/usage": ("GET", usage_inquiry.usage),
}
ONE_MODEL: tuple[str, Endpoint] = ("GET", inquiries.model)
CLIENT_LEFT = 499


@dataclass(frozen=True, slots=True)
class Gateway:
    """Five collaborators; ``__call__`` is the boundary that no error passes."""

    callers: Callers
    catalog: Catalog
    limiter: Limiter
    journal: Journal
    upstream: Upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope, receive, send)
        try:
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
            call.meter = None  # else the two hold each other until the garbage collector comes

    def endpoint_for(self, call: Call) -> Endpoint:
        """Raises UnknownEndpoint, WrongMethod."""
        path = call.path.rstrip("/")
        route = ONE_MODEL if path.startswith(inquiries.MODELS) else ROUTES.get(path)
        if route is None:
            known = ", ".join(ROUTES)
            raise UnknownEndpoint(f"There is nothing at this address. Known are {known}.")
        method, endpoint = route
        if call.method == "OPTIONS":
            return preflight
        if call.method != method and (call.method, method) != ("HEAD", "GET"):
            allow = "GET, HEAD, OPTIONS" if method == "GET" else f"{method}, OPTIONS"
            raise WrongMethod(f"{path} takes {method} only.", allow=allow)
        return endpoint

    async def authenticate(self, call: Call, endpoint: str) -> Meter:
        """Who calls, with a meter that runs from now on. Raises NotAuthenticated, Unavailable."""
        caller = await self.callers.authenticate(call.headers)
        call.meter = Meter(call, caller, self.journal, self.limiter, endpoint)
        return call.meter

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
        decision = meter.decision
        assert decision is not None
        if not decision.admitted:
            raise decision.refusal()

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
                meter.caller = await self.callers.reload(meter.call.headers)
            except Cold:
                account_id, now = meter.caller.account_id, datetime.now(UTC)
                spent = await database.query(spent_by, account_id, now)
                await self.limiter.restore(account_id, meter.caller.epoch, now, spent)
            else:
                meter.call.response_headers += meter.decision.headers
                return
        raise Unavailable("Limits are being updated; try again.")

    async def refuse(self, call: Call, error: APIError) -> None:
        """Answer with the envelope, the limits' headers and a row in the log."""
        meter = call.meter
        if meter and meter.decision is None and error.status < 500:
            try:
                await self.show_limits(meter)
            except APIError as other:  # the refusal itself stands
                log.info("%s is answered without its limits: %s", call.request_id, other)
        self.finish(call, error.status, error.outcome, error)
        if call.status is None:
            call.response_headers += error.headers()
            await call.answer(error.status, error.body(call.request_id))

    def finish(self, call: Call, status: int, outcome: str, error: APIError | None = None) -> None:
        if call.meter:
            call.meter.finish(status, outcome, error)


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
