"""Rows of the request log in words: how each ended, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from accounts.models import APIKey
from gateway.decisions import Use
from usage.models import Outcome, RequestLog

# What we call it, in which tone, and what it means.
OUTCOMES: dict[str, tuple[str, str, str]] = {
    Outcome.OK: ("ok", "ok", "Answered to its end."),
    Outcome.CLIENT_ERROR: (
        "client error",
        "warn",
        "Something about the request was wrong; sent again as it is, it will fail again.",
    ),
    Outcome.REFUSED: ("refused", "warn", "Refused before any model was asked; it used no tokens."),
    Outcome.UPSTREAM_ERROR: (
        "upstream error",
        "bad",
        "The model or its provider failed, after every route had been tried.",
    ),
    Outcome.CLIENT_DISCONNECT: (
        "client left",
        "",
        "The client hung up; only what had reached it by then is charged.",
    ),
    Outcome.INTERRUPTED: (
        "interrupted",
        "bad",
        "The process that served it ended; what is known to have been delivered is charged.",
    ),
}
SOURCES = {
    "provider": "as the provider counted them",
    "estimated": "estimated from the length of the text, because the provider told no count",
    "counted": "no model generated anything",
}
ROUTE_TONES = {"answered": "ok", "not configured": ""}


class Route(msgspec.Struct, frozen=True):
    """One provider that was considered, and how that went."""

    provider: str = ""
    outcome: str = ""

    @property
    def tone(self) -> str:
        return ROUTE_TONES.get(self.outcome, "bad")


class Record(msgspec.Struct, frozen=True):
    """The decision as the gateway wrote it down."""

    admitted: bool = True
    limits: list[Use] = []
    routes: list[Route] = []


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log, with the key that sent it as far as we still know it."""

    row: RequestLog
    api_key: APIKey | None

    @property
    def key_name(self) -> str:
        return self.api_key.name if self.api_key else "a deleted key"

    @property
    def model(self) -> str:
        return self.row.model or self.row.requested_model

    @property
    def word(self) -> str:
        return OUTCOMES.get(self.row.outcome, (self.row.outcome, "", ""))[0]

    @property
    def tone(self) -> str:
        return OUTCOMES.get(self.row.outcome, ("", "", ""))[1]

    @property
    def meaning(self) -> str:
        return OUTCOMES.get(self.row.outcome, ("", "", ""))[2]

    @property
    def usage_source(self) -> str:
        return SOURCES.get(self.row.usage_source, "")

    @property
    def ended_at(self) -> datetime:
        return self.row.started_at + timedelta(milliseconds=self.row.latency_ms)

    @property
    def decision(self) -> Record:
        """What was looked at; nothing where the record is damaged or of another version."""
        try:
            return msgspec.convert(self.row.decision, Record)
        except msgspec.ValidationError:
            return Record()

    @property
    def refusal(self) -> "Refusal | None":
        """Why a limit said no, if one did."""
        exceeded = [use for use in self.decision.limits if use.exceeded]
        if self.row.outcome != Outcome.REFUSED or not exceeded:
            return None
        return Refusal(self.row.started_at, exceeded)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The limits that a request exceeded, and what would have helped."""

    started_at: datetime
    exceeded: list[Use]

    @property
    def names(self) -> str:
        words = [f"{use.unit} per {use.window}" for use in self.exceeded]
        return " and ".join(words).capitalize()

    @property
    def passes_at(self) -> datetime | None:
        """When the very same request would have passed, had no other come; None for never."""
        resets = [use.reset for use in self.exceeded]
        known = [reset for reset in resets if reset is not None]
        return datetime.fromtimestamp(max(known), UTC) if len(known) == len(resets) else None

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


def entries(rows: Iterable[RequestLog], api_keys: Mapping[int, APIKey]) -> list[Entry]:
    return [Entry(row, api_keys.get(row.api_key_id)) for row in rows]
