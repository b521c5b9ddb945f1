"""Rows of the request log in words: how each ended, and why."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.models import APIKey
from dashboard import curl
from gateway import explanations, hindsight
from gateway.explanations import Record, Refusal
from gateway.hindsight import Step
from usage.models import Outcome, Payload, RequestLog

# What we call it, and in which tone.
OUTCOMES: dict[str, tuple[str, str]] = {
    Outcome.OK: ("ok", "ok"),
    Outcome.CLIENT_ERROR: ("client error", "warn"),
    Outcome.REFUSED: ("refused", "warn"),
    Outcome.UPSTREAM_ERROR: ("upstream error", "bad"),
    Outcome.CLIENT_DISCONNECT: ("client left", ""),
    Outcome.INTERRUPTED: ("interrupted", "bad"),
}
ENDPOINTS = (
    *("chat/completions", "completions", "embeddings"),
    *("models", "key", "limits", "usage", "explain"),  # in the log only where they were refused
)
SOURCES = {
    "provider": "as the provider counted them",
    "estimated": "estimated from the length of the text, because the provider told no count",
    "counted": "no model generated anything",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log, with the key that sent it as far as we still know it."""

    row: RequestLog
    api_key: APIKey | None
    payload: Payload | None = None  # for those who may see it

    @property
    def key_name(self) -> str:
        return self.api_key.name if self.api_key else "a deleted key"

    @property
    def model(self) -> str:
        return self.row.model or self.row.requested_model

    @property
    def word(self) -> str:
        return OUTCOMES.get(self.row.outcome, (self.row.outcome, ""))[0]

    @property
    def tone(self) -> str:
        return OUTCOMES.get(self.row.outcome, ("", ""))[1]

    @property
    def meaning(self) -> str:
        return explanations.meaning_of(self.row, self.decision)

    @property
    def usage_source(self) -> str:
        return SOURCES.get(self.row.usage_source, "")

    @property
    def ended_at(self) -> datetime:
        return self.row.started_at + timedelta(milliseconds=self.row.latency_ms)

    @property
    def decision(self) -> Record:
        return explanations.record_of(self.row)

    @property
    def refusal(self) -> Refusal | None:
        return explanations.refusal_of(self.row, self.decision)

    @property
    def steps(self) -> list[Step]:
        return hindsight.steps(self.row, self.decision)

    @property
    def headers(self) -> list[tuple[str, str]]:
        return hindsight.headers(self.row, self.decision)

    @property
    def asked(self) -> str:
        return indented(self.payload.request) if self.payload else ""

    @property
    def answered(self) -> str:
        return indented(self.payload.response) if self.payload else ""

    @property
    def last_day(self) -> date | None:
        """On which what was captured can still be seen."""
        return self.payload.forget_on - timedelta(days=1) if self.payload else None

    @property
    def curl(self) -> str:
        return curl.command(self.row, self.payload.request if self.payload else "")


def indented(text: str) -> str:
    """JSON as people read it; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def entries(rows: Iterable[RequestLog], api_keys: Mapping[int, APIKey]) -> list[Entry]:
    return [Entry(row, api_keys.get(row.api_key_id)) for row in rows]
