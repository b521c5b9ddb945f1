"""The sums of an hour: added up here from calls, and added to what PostgreSQL already has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Protocol

import psycopg

from usage import histograms

CLASSES = {
    "ok": "ok",
    "client_error": "client_errors",
    "refused": "refused",
    "upstream_error": "upstream_errors",
    "client_disconnect": "client_disconnects",
    "interrupted": "interrupted",
}
Key = tuple[int, datetime, int, str]  # account, hour, API key, model


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
    def outcome(self) -> str: ...
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


@dataclass(slots=True)
class Sums:
    """The columns of a UsageHour, in their order."""

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
    latency_histogram: list[int] = field(default_factory=list)
    ttft_histogram: list[int] = field(default_factory=list)

    def count(self, call: Counted) -> None:
        """Add one call. Only answered calls tell how long an answer takes."""
        self.requests += 1
        self.admitted += call.admitted
        self.prompt_tokens += call.prompt_tokens
        self.completion_tokens += call.completion_tokens
        if name := CLASSES.get(call.outcome):
            setattr(self, name, getattr(self, name) + 1)
        if call.outcome == "ok":
            histograms.count(self.latency_histogram, call.latency_ms)
            if call.ttft_ms is not None:
                histograms.count(self.ttft_histogram, call.ttft_ms)


def add_up(calls: Iterable[Counted]) -> dict[Key, Sums]:
    hours: dict[Key, Sums] = {}
    for call in calls:
        hour = call.started_at.replace(minute=0, second=0, microsecond=0)
        key = (call.account_id, hour, call.api_key_id, call.model)
        sums = hours.get(key)
        if sums is None:
            sums = hours[key] = Sums()
        sums.count(call)
    return hours


_KEY = ["account_id", "hour", "api_key_id", "model"]
COLUMNS = [column.name for column in fields(Sums)]
_columns_of = attrgetter(*COLUMNS)
_TYPES = ["bigint", "timestamptz", "bigint", "text", *["bigint"] * 10, "text", "text"]
_ADD = f"""
INSERT INTO usage_usagehour AS old ({", ".join(_KEY + COLUMNS)})
SELECT {", ".join(_KEY + COLUMNS[:10])}, {", ".join(f"{name}::bigint[]" for name in COLUMNS[10:])}
FROM unnest({", ".join(f"%b::{type_}[]" for type_ in _TYPES)}) AS new ({", ".join(_KEY + COLUMNS)})
ON CONFLICT ({", ".join(_KEY)}) DO UPDATE SET
{", ".join(f"{name} = old.{name} + excluded.{name}" for name in COLUMNS[:10])},
{", ".join(f"{name} = usage_add_histograms(old.{name}, excluded.{name})" for name in COLUMNS[10:])}
"""  # noqa: S608, nothing but names of columns is put together here


def add(cursor: psycopg.Cursor[Any], hours: dict[Key, Sums]) -> None:
    """Add these sums to the rollups, in the order of their keys, so that nobody deadlocks."""
    if hours:
        rows = [(*key, *_as_columns(hours[key])) for key in sorted(hours)]
        cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])


def _as_columns(sums: Sums) -> list[Any]:
    *numbers, latency, ttft = _columns_of(sums)
    return [*numbers, _as_array(latency), _as_array(ttft)]


def _as_array(histogram: list[int]) -> str:
    """As PostgreSQL writes it: arrays of arrays would all have to be of one length."""
    return "{" + ",".join(map(str, histogram)) + "}"
