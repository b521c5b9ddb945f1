"""What one call uses, counted as it passes and written down exactly once, on every exit."""

import logging
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.auth import Caller
from gateway.call import Call
from gateway.catalog import Offer, Route
from gateway.decisions import Decision
from gateway.errors import APIError, Unavailable
from gateway.limits import Limiter, lease_for
from gateway.tokens import tokens_in
from usage.journal import Final, Intent, Journal, JournalUnavailable

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class Usage(msgspec.Struct):
    """Token counts as providers report them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True)
class Meter:
    """Begins with the caller; ``finish`` writes the final record and settles the reservation."""

    call: Call
    caller: Caller
    journal: Journal
    limiter: Limiter
    endpoint: str
    requested_model: str = ""
    model: str = ""
    streamed: bool = False
    end_user: str = ""
    prompt_estimate: int = 0
    lease: str = ""
    decision: Decision | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    provider: str = ""
    usage: Usage | None = None
    delivered_bytes: int = 0
    ttft_ms: int | None = None
    slot: int | None = None
    finished: bool = False

    def asked(self, offer: Offer, name: str, *, streamed: bool, prompt: int, user: str) -> None:
        """What the client wants, once we understood it."""
        self.requested_model, self.model = name, offer.model_id
        self.streamed, self.prompt_estimate, self.end_user = streamed, prompt, user

    def intend(self, tokens: int) -> None:
        """The record that survives us, before ``tokens`` are reserved. Raises Unavailable."""
        self.lease = lease_for(self.call.request_id, tokens)
        call, caller = self.call, self.caller
        try:
            self.slot = self.journal.intend(
                Intent(
                    request_id=call.request_id,
                    started_at=call.started_at,
                    retention_class=caller.retention_class,
                    account_id=caller.account_id,
                    api_key_id=caller.api_key_id,
                    endpoint=self.endpoint,
                    requested_model=self.requested_model,
                    model=self.model,
                    streamed=self.streamed,
                    prompt_tokens=self.prompt_estimate,
                    lease=self.lease,
                    ip=call.ip,
                    end_user=self.end_user,
                )
            )
        except JournalUnavailable as error:
            raise Unavailable("Usage cannot be recorded at the moment.") from error

    @property
    def reserved(self) -> bool:
        """Whether a reservation waits to be settled."""
        return bool(self.lease and self.decision and self.decision.admitted)

    def tried(self, route: Route, outcome: str) -> None:
        """One step of the routing, for the decision record."""
        self.provider = route.provider
        self.attempts.append({"provider": route.provider, "outcome": outcome})

    def passes(self, byte_count: int) -> None:
        """Generated text of this length is about to reach the client."""
        if self.ttft_ms is None:
            self.ttft_ms = self.call.elapsed_ms()
        self.delivered_bytes += byte_count

    def progress(self) -> None:
        """Make what was delivered so far survive the end of this process."""
        if self.slot is not None:
            self.journal.progress(self.slot, tokens_in(self.delivered_bytes))

    def counts(self, *, ok: bool) -> tuple[int, int, str]:
        """Prompt and completion tokens to charge, and where the numbers come from."""
        if self.usage:
            return self.usage.prompt_tokens, self.usage.completion_tokens, "provider"
        if ok or self.delivered_bytes:
            return self.prompt_estimate, tokens_in(self.delivered_bytes), "estimated"
        return 0, 0, "counted"

    def finish(self, status: int, outcome: str, error: APIError | None = None) -> None:
        """Write the final record and settle. The first call counts; later ones change nothing."""
        if self.finished:
            return
        self.finished = True
        prompt, completion, source = self.counts(ok=outcome == "ok")
        try:
            self.journal.finish(
                self.final(status, outcome, error, prompt, completion, source), self.slot
            )
        except JournalUnavailable:
            log.error("%s could not be recorded", self.call.request_id)
        if self.reserved:
            self.limiter.settle(self.caller.account_id, self.lease, prompt + completion)

    def final(
        self,
        status: int,
        outcome: str,
        error: APIError | None,
        prompt: int,
        completion: int,
        source: str,
    ) -> Final:
        call, caller = self.call, self.caller
        return Final(
            request_id=call.request_id,
            started_at=call.started_at,
            retention_class=caller.retention_class,
            account_id=caller.account_id,
            api_key_id=caller.api_key_id,
            endpoint=self.endpoint,
            requested_model=self.requested_model,
            model=self.model,
            provider=self.provider,
            status_code=status,
            outcome=outcome,
            error_type=error.type if error else "",
            error_code=(error.code or "") if error else "",
            error_message=error.message if error else "",
            prompt_tokens=prompt,
            completion_tokens=completion,
            usage_source=source,
            latency_ms=call.elapsed_ms(),
            ttft_ms=self.ttft_ms,
            streamed=self.streamed,
            ip=call.ip,
            user_agent=call.header(b"user-agent"),
            end_user=self.end_user,
            attempts=len(self.attempts),
            decision=_encode(self.record()),
            lease=self.lease if self.reserved else "",
        )

    def record(self) -> dict[str, Any]:
        """Why it went as it did: the limits that were looked at, the routes that were tried."""
        record: dict[str, Any] = {}
        if self.decision:
            record = {"admitted": self.decision.admitted, "limits": self.decision.uses}
        if self.attempts:
            record["routes"] = self.attempts
        return record
