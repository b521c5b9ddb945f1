"""``GET explain/{request_id}``: why a call went as it did, from the decision stored with it.

Nothing is computed a second time: what the limits held, which routes were tried and why each was
passed over was written down while it happened.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from accounts.scopes import Scope
from gateway import database
from gateway.call import Call
from gateway.decisions import Use
from gateway.errors import UnknownRequest
from gateway.meter import Attempt
from gateway.raw_json import encode
from usage import log_store
from usage.models import Outcome, RequestLog, day_of

if TYPE_CHECKING:
    from gateway.asgi import Gateway

EXPLAIN = "/v1/explain/"
RECORDED_WITHIN = 3.0  # seconds; younger requests may still be on their way into the log
LOOK_EVERY = 0.25
MEANINGS: dict[str, str] = {
    Outcome.OK: "Answered to its end.",
    Outcome.CLIENT_ERROR: (
        "Something about the request was wrong; sent again as it is, it will fail again."
    ),
    Outcome.REFUSED: "Refused before any model was asked; it used no tokens.",
    Outcome.UPSTREAM_ERROR: "The model or its provider failed.",
    Outcome.CLIENT_DISCONNECT: ("The client hung up; only what had reached it by then is charged."),
    Outcome.INTERRUPTED: (
        "The process that served it ended; what is known to have been delivered is charged."
    ),
}
BROKE_OFF = "It broke off after it had begun to answer; no other route can take over then."
ON_EVERY_ROUTE = "The model or its provider failed, on every route that was tried."
WHOSE = {"account": "the plan", "key": "this key"}


class Record(msgspec.Struct, frozen=True):
    """The decision as the gateway wrote it down."""

    admitted: bool = True
    limits: list[Use] = []
    routes: list[Attempt] = []
    decided_ms: int | None = None  # after the call began
    translated: bool = False
    left_out: list[str] = []

    @property
    def checked(self) -> bool:
        """Whether the limits were asked for something; else they were only shown."""
        return any(use.asked for use in self.limits)

    @property
    def asked(self) -> int:
        """How many different routes were really asked."""
        began = [route for route in self.routes if route.began_ms is not None]
        return len({(route.provider, route.model) for route in began})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The limits that a request exceeded, and what would have helped."""

    started_at: datetime
    exceeded: list[Use]

    @property
    def final(self) -> list[Use]:
        """Those that would have refused it at any time: to wait helps against the others only."""
        return [use for use in self.exceeded if use.asked > use.limit or use.window == "lifetime"]

    @property
    def names(self) -> str:
        words = [f"{use.unit} per {use.window}" for use in self.final or self.exceeded]
        return " and ".join(words).capitalize()

    @property
    def never(self) -> str:
        """Why the very same request would never have passed; empty if it would have."""
        if not self.final:
            return ""
        use = self.final[0]
        when = "allows at once" if use.asked > use.limit else "has left for its lifetime"
        return f"it asks for more than {WHOSE[use.scope]} {when}"

    @property
    def passes_at(self) -> datetime | None:
        """When it would have passed, had no other come; None for never, or where it is not known.

        Of older refusals only the reset is known.
        """
        moments = [use.passes_at or use.reset for use in self.exceeded]
        known = [moment for moment in moments if moment is not None]
        if self.final or len(known) < len(moments):
            return None
        return datetime.fromtimestamp(max(known), UTC)

    @property
    def wait_ms(self) -> float | None:
        if self.passes_at is None:
            return None
        return max(0.0, (self.passes_at - self.started_at).total_seconds() * 1000)

    @property
    def would_have_fitted(self) -> int | None:
        """The tokens for which there was room, if only tokens were short."""
        if any(use.unit != "tokens" for use in self.exceeded):
            return None
        return min(use.remaining for use in self.exceeded)


def record_of(row: RequestLog) -> Record:
    """What was looked at; nothing where the record is damaged or of another version."""
    try:
        return msgspec.convert(row.decision, Record)
    except msgspec.ValidationError:
        return Record()


def meaning_of(row: RequestLog, record: Record) -> str:
    """How it ended, in a sentence."""
    if row.outcome == Outcome.UPSTREAM_ERROR and row.status_code == 200:
        return BROKE_OFF
    if row.outcome == Outcome.UPSTREAM_ERROR and record.asked > 1:
        return ON_EVERY_ROUTE
    return MEANINGS.get(row.outcome, "")


def refusal_of(row: RequestLog, record: Record) -> Refusal | None:
    """Why a limit said no, if one did."""
    exceeded = [use for use in record.limits if use.exceeded and not use.soft]
    if row.outcome != Outcome.REFUSED or not exceeded:
        return None
    return Refusal(row.started_at, exceeded)


async def explain(gateway: Gateway, call: Call) -> None:
    """One call of the account, also of another key of it. Raises UnknownRequest."""
    meter = await gateway.authenticate(call, "explain")
    meter.require(Scope.USAGE_READ)
    request_id = call.path.removeprefix(EXPLAIN).rstrip("/")
    row = await found(meter.caller.account_id, request_id)
    await gateway.show_limits(meter)
    await call.answer(200, encode(explanation(row)))


async def found(account_id: int, request_id: str) -> RequestLog:
    """The row; waits for one that is being recorded just now. Raises UnknownRequest."""
    if day_of(request_id) is None:
        raise UnknownRequest("A request id is req_ and 28 hexadecimal digits.")
    began = int(request_id[4:16], 16) / 1000
    until = min(began, time.time()) + RECORDED_WITHIN
    while True:
        late = time.time() > until
        if row := await database.query(log_store.get, account_id, request_id):
            return row
        if late:
            raise UnknownRequest("There is no such request of this account in the log.")
        await asyncio.sleep(LOOK_EVERY)


def explanation(row: RequestLog) -> dict[str, Any]:
    """Moments are in Unix seconds. ``passes_at`` is null where nothing refused, for never, and
    where nobody knows; only for never it does not pass.
    """
    record = record_of(row)
    refusal = refusal_of(row, record)
    passes_at = refusal.passes_at if refusal else None
    error = {"type": row.error_type, "code": row.error_code, "message": row.error_message}
    return {
        "object": "explanation",
        "request_id": row.request_id,
        "created": int(row.started_at.timestamp()),
        "endpoint": row.endpoint,
        "model": row.model or None,
        "requested_model": row.requested_model or None,
        "api_key_id": row.api_key_id,
        "status": row.status_code,
        "outcome": row.outcome,
        "meaning": meaning_of(row, record),
        "error": error if row.error_type else None,
        "limits": [as_shown(use) for use in record.limits],
        "passes": not (refusal and refusal.final),
        "passes_at": int(passes_at.timestamp()) if passes_at else None,
        "tokens_that_would_fit": refusal.would_have_fitted if refusal else None,
        "routes": record.routes,
        "translated_to_chat": record.translated,
        "left_out": record.left_out,
        "usage": {
            "prompt_tokens": row.prompt_tokens,
            "completion_tokens": row.completion_tokens,
            "total_tokens": row.total_tokens,
            "source": row.usage_source,
        },
        "latency_ms": row.latency_ms,
        "time_to_first_token_ms": row.ttft_ms,
    }


def as_shown(use: Use) -> dict[str, Any]:
    """A limit as it was looked at: ``used`` by others before, ``remaining`` after this request."""
    return {
        "scope": use.scope,
        "soft": use.soft,
        "unit": use.unit,
        "window": use.window,
        "limit": use.limit,
        "used": use.used,
        "asked": use.asked,
        "remaining": use.remaining,
        "exceeded": use.exceeded,
        "reset": use.reset,
        "passes_at": use.passes_at,
    }
