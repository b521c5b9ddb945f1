"""The sums of hours, added up from calls. ``usage/rollup_tables.py`` keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Protocol

from usage import histograms

CLASSES = {
    "ok": "ok",
    "client_error": "client_errors",
    "refused": "refused",
    "upstream_error": "upstream_errors",
    "client_disconnect": "client_disconnects",
    "interrupted": "interrupted",
}
MOST_NAMES = 200  # kept apart in one hour of one account, of each kind
REST = ""  # the name of all the others together
Key = tuple[int, datetime, int, str, str]  # account, hour, API key, model, endpoint
NamedKey = tuple[int, datetime, str, int, str, str]  # account, hour, name, API key, model, endpoint

DayKey = tuple[int, datetime, str]  # account, midnight, name


class Counted(Protocol):
    """What the sums need to know of a call; a row of the request log, in any form."""

    @property
    def account_id(self) -> int: ...
    @property
    def api_key_id(self) -> int: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def model(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def error_type(self) -> str: ...
    @property
    def error_code(self) -> str: ...
    @property
    def end_user(self) -> str: ...
    @property
    def admitted(self) -> bool: ...
    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...
    @property
    def latency_ms(self) -> int: ...
    @property
    def ttft_ms(self) -> int | None: ...
    @property
    def streamed(self) -> bool: ...


@dataclass(slots=True)
class Counts:
    """The columns of ``HourlySums``, in their order."""

    requests: int = 0
    admitted: int = 0
    ok: int = 0
    client_errors: int = 0
    refused: int = 0
    upstream_errors: int = 0
    client_disconnects: int = 0
    interrupted: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    generated_tokens: int = 0
    generation_ms: int = 0

    def count(self, call: Counted) -> None:
        self.requests += 1
        self.admitted += call.admitted
        self.prompt_tokens += call.prompt_tokens
        self.completion_tokens += call.completion_tokens
        if name := CLASSES.get(call.outcome):
            setattr(self, name, getattr(self, name) + 1)
        if call.streamed and call.ttft_ms is not None and call.outcome == "ok":
            self._generated(call.completion_tokens, call.latency_ms - call.ttft_ms)

    def _generated(self, tokens: int, milliseconds: int) -> None:
        """The first token ends the wait and begins the stream, so it tells no speed."""
        if tokens > 1 and milliseconds > 0:
            self.generated_tokens += tokens - 1
            self.generation_ms += milliseconds


@dataclass(slots=True)
class Sums(Counts):
    """The columns of a UsageHour, in their order."""

    latency_histogram: list[int] = field(default_factory=list)
    ttft_histogram: list[int] = field(default_factory=list)

    def count(self, call: Counted) -> None:
        """Add one call. Only answered calls tell how long an answer takes."""
        Counts.count(self, call)
        if call.outcome == "ok":
            histograms.count(self.latency_histogram, call.latency_ms)
            if call.ttft_ms is not None:
                histograms.count(self.ttft_histogram, call.ttft_ms)


COUNTS = [column.name for column in fields(Counts)]
HISTOGRAMS = [column.name for column in fields(Sums)][len(COUNTS) :]


@dataclass(slots=True)
class Rollups:
    """All that is known of some calls by the hour. Names are in the order in which they came."""

    hours: dict[Key, Sums] = field(default_factory=dict)
    end_users: dict[NamedKey, Counts] = field(default_factory=dict)
    errors: dict[NamedKey, Counts] = field(default_factory=dict)


def add_up(calls: Iterable[Counted]) -> Rollups:
    found = Rollups()
    for call in calls:
        hour = call.started_at.replace(minute=0, second=0, microsecond=0)
        where = (call.api_key_id, call.model, call.endpoint)
        key = (call.account_id, hour, *where)
        sums = found.hours.get(key)
        if sums is None:
            sums = found.hours[key] = Sums()
        sums.count(call)
        if call.end_user:
            named = (call.account_id, hour, call.end_user, *where)
            found.end_users.setdefault(named, Counts()).count(call)
        if call.outcome != "ok":
            named = (call.account_id, hour, error_name(call), *where)
            found.errors.setdefault(named, Counts()).count(call)
    return found


def error_name(call: Counted) -> str:
    """How it ended and, where there is more to say, why."""
    why = call.error_code or call.error_type
    return f"{call.outcome}:{why}" if why else call.outcome


def with_rest(
    named: dict[NamedKey, Counts], kept: dict[tuple[int, datetime], set[str]]
) -> dict[NamedKey, Counts]:
    """The same sums, with those of every name that is not ``kept`` under the empty one."""
    merged: dict[NamedKey, Counts] = {}
    for (account_id, hour, name, *where), counts in named.items():
        shown = name if name in kept.get((account_id, hour), ()) else REST
        key: NamedKey = (account_id, hour, shown, *where)  # type: ignore[assignment]
        merged[key] = _added(merged[key], counts) if key in merged else counts
    return merged


def by_day(named: Mapping[NamedKey, Counts]) -> dict[DayKey, Counts]:
    """The sums of hours as sums of the UTC days in which these lie."""
    days: dict[DayKey, Counts] = {}
    for (account_id, hour, name, *_), counts in named.items():
        key = account_id, hour.replace(hour=0), name
        days[key] = _added(days[key], counts) if key in days else counts
    return days


def _added(one: Counts, other: Counts) -> Counts:
    return Counts(*(getattr(one, name) + getattr(other, name) for name in COUNTS))
