"""What one call uses, counted as it passes and written down exactly once, on every exit."""

import logging
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw

from accounts import end_users
from gateway import token_usage
from gateway.call import Call
from gateway.caller import Caller
from gateway.catalog import Offer, Route
from gateway.decisions import Decision
from gateway.errors import APIError, Headers, Unavailable
from gateway.limits import Limiter
from gateway.raw_json import NULL, decode_fields
from gateway.token_usage import NOTHING_YET, Usage
from gateway.tokens import tokens_in
from usage.journal import Final, Intent, Journal, JournalUnavailable

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class Attempt(msgspec.Struct, omit_defaults=True):
    """A route that was considered: what came of it, in words, and when it was asked, how fast."""

    provider: str = ""
    outcome: str = ""
    model: str = ""
    began_ms: int | None = None  # since the call began
    status: int | None = None
    ms: int | None = None  # until the provider's status


@dataclass(slots=True)
class Meter:
    """Begins with the caller; ``finish`` writes the final record and settles the reservation."""

    call: Call
    caller: Caller
    journal: Journal
    limiter: Limiter
    endpoint: str
    scope: str = ""  # that the endpoint needs
    names: tuple[str, ...] = ()  # of the model
    requested_model: str = ""
    model: str = ""
    streamed: bool = False
    end_user: str = ""
    prompt_estimate: int = 0
    lease: str = ""
    tokens: int = 0  # that the lease is for
    reserved: bool = False  # and it waits to be settled
    decision: Decision | None = None
    decided_ms: int | None = None  # after the call began, if it was ever about admission
    attempts: list[Attempt] = field(default_factory=list)
    provider: str = ""
    usage: Usage | None = None  # as the provider reports it
    usage_said: Raw | None = None  # in the provider's own words
    earlier: Usage | None = NOTHING_YET  # what earlier answers to the same request used
    window: int | None = None
    translated: bool = False
    left_out: tuple[str, ...] = ()  # fields of the request that the provider would not take
    delivered_bytes: int = 0
    ttft_ms: int | None = None
    slot: int | None = None
    outcome: str = ""  # until it has finished

    def capture(self) -> None:
        """From now on keep a copy of the answer, if its caller may want to see it later."""
        choice = self.caller.capture
        wanted = choice and choice.may_want(self.call.request_id)
        self.call.answered = bytearray() if wanted else None

    def require(self, scope: str) -> None:
        """Raise NotPermitted unless the caller may do this, now and whenever we learn more."""
        self.scope = scope
        self.caller.require(scope)

    def asked(
        self, offer: Offer, name: str, *, streamed: bool, prompt: int, user: str | None
    ) -> None:
        """What the client wants, once we understood it. Raises NotPermitted."""
        self.requested_model, self.model, self.window = name, offer.model_id, offer.context_window
        self.streamed, self.prompt_estimate, self.end_user = streamed, prompt, user or ""
        self.names = offer.names
        self.caller.require_model(offer.names)

    @property
    def end_user_kept(self) -> str:
        """The end user's name, as the account wants it to be kept."""
        caller = self.caller
        hides = caller.hides_end_users
        return end_users.hidden(caller.account_id, self.end_user) if hides else self.end_user

    def headers(self) -> Headers:
        """Who answered, and what was done to the request on its way."""
        headers: Headers = []
        if self.provider:
            headers = [
                (b"x-keyplex-model", self.model.encode()),
                (b"x-keyplex-provider", self.provider.encode()),
                (b"x-keyplex-attempts", b"%d" % self.asked_times),
            ]
        if self.left_out:
            headers.append((b"x-keyplex-left-out", ", ".join(self.left_out).encode()))
        if self.translated:
            headers.append((b"x-keyplex-translated", b"chat"))
        return headers

    def intend(self, tokens: int) -> None:
        """The record that survives us, before ``tokens`` are reserved. Raises Unavailable."""
        self.tokens = tokens
        self.lease = self.caller.policy.lease(self.call.request_id, tokens)
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
                    end_user=self.end_user_kept,
                )
            )
        except JournalUnavailable as error:
            raise Unavailable("Usage cannot be recorded at the moment.") from error

    def renew(self, caller: Caller) -> None:
        """What we know of the caller was stale: other limits may hold, or it may do less.

        Raises NotAuthenticated, NotPermitted.
        """
        self.caller = caller
        self.capture()
        caller.require_use(self.call.ip, self.endpoint)
        if self.scope:
            caller.require(self.scope)
        if self.names:
            caller.require_model(self.names)
        if self.lease:
            self.lease = caller.policy.lease(self.call.request_id, self.tokens)

    def considered(self, route: Route, outcome: str) -> Attempt:
        """One step of the routing, for the decision record."""
        attempt = Attempt(route.provider, outcome, route.upstream_model)
        self.attempts.append(attempt)
        return attempt

    def tries(self, route: Route) -> Attempt:
        """A request to a provider; what comes of it is noted on what this returns."""
        self.provider = route.provider
        attempt = self.considered(route, "no answer")
        attempt.began_ms = self.call.elapsed_ms()
        return attempt

    @property
    def asked_times(self) -> int:
        return sum(attempt.began_ms is not None for attempt in self.attempts)

    def reports(self, said: Raw) -> None:
        """The provider's usage of the answer that passes; of several reports the last counts."""
        usage = None if said == NULL else token_usage.read(said)
        if usage and self.earlier and usage.believable(self.window):
            self.usage, self.usage_said = self.earlier + usage, said

    def next_answer(self) -> None:
        """Another answer to the same request follows, or the first."""
        if self.usage or self.delivered_bytes:
            self.earlier, self.usage = self.usage, None

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
        if self.usage and (self.usage.completion or not self.delivered_bytes):
            return self.usage.prompt, self.usage.completion, "provider"
        if ok or self.delivered_bytes:
            return self.prompt_estimate, tokens_in(self.delivered_bytes), "estimated"
        return 0, 0, "counted"

    def shown_usage(self) -> dict[str, Any]:
        """What the client is told: the seed's three counts, beside the provider's details."""
        prompt, completion, _ = self.counts(ok=True)
        details = decode_fields(self.usage_said) if self.usage_said else {}
        return {**details, **Usage(prompt, completion).as_reported()}

    def finish(self, status: int, outcome: str, error: APIError | None = None) -> None:
        """Write the final record and settle. The first call counts; later ones change nothing."""
        if self.outcome:
            return
        self.outcome = outcome
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
            end_user=self.end_user_kept,
            attempts=self.asked_times,
            decision=_encode(self.record()),
            lease=self.lease if self.reserved else "",
        )

    def record(self) -> dict[str, Any]:
        """Why it went as it did: the limits that were looked at, the routes that were tried."""
        record: dict[str, Any] = {}
        if self.decision:
            record = {"admitted": self.decision.admitted, "limits": self.decision.uses}
            if self.decided_ms is not None:
                record["decided_ms"] = self.decided_ms
            if self.decision.degraded:
                record["degraded"] = True
        if self.attempts:
            record["routes"] = self.attempts
        if self.usage:
            record["usage"] = {"said": self.usage_said, **msgspec.structs.asdict(self.usage)}
        if self.translated:
            record["translated"] = True
        if self.left_out:
            record["left_out"] = self.left_out
        return record
