"""Rows of the request log as lines of a file."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from dashboard.csv_download import lines
from usage.models import RequestLog

COLUMNS = (
    *("request_id", "started_at", "api_key_id", "api_key", "endpoint", "requested_model"),
    *("model", "provider", "status_code", "outcome", "error_type", "error_code", "error_message"),
    *("prompt_tokens", "completion_tokens", "total_tokens", "usage_source", "latency_ms"),
    *("ttft_ms", "streamed", "attempts", "end_user", "ip", "user_agent"),
)


@dataclass(frozen=True, slots=True)
class Format:
    """What a file begins with, and what it says of each row."""

    label: str
    kind: str
    head: bytes
    write: Callable[[list[dict[str, Any]]], str]

    def lines(self, rows: Iterable[RequestLog], key_names: Mapping[int, str]) -> bytes:
        return self.write([values(row, key_names) for row in rows]).encode()


def values(row: RequestLog, key_names: Mapping[int, str]) -> dict[str, Any]:
    started_at = row.started_at.astimezone(UTC).isoformat(timespec="milliseconds")
    told = {
        "started_at": started_at.replace("+00:00", "Z"),
        "api_key": key_names.get(row.api_key_id, ""),
    }
    return {name: told[name] if name in told else getattr(row, name) for name in COLUMNS}


def as_csv(rows: list[dict[str, Any]]) -> str:
    return lines(row.values() for row in rows)


def as_json_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FORMATS = {
    "csv": Format("CSV", "text/csv; charset=utf-8", (",".join(COLUMNS) + "\r\n").encode(), as_csv),
    "jsonl": Format("JSONL", "application/x-ndjson", b"", as_json_lines),
}
