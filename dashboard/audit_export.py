"""The audit log as a file, written while it is sent."""

import json
from collections.abc import AsyncIterator, Callable

from django.db.models import QuerySet

from accounts.audit import AuditEntry
from dashboard.csv_download import lines

COLUMNS = ["number", "at", "action", "actor", "user_id", "ip", "about", "details", "mac"]


def row_of(entry: AuditEntry) -> dict[str, object]:
    row = {name: getattr(entry, name) for name in COLUMNS}
    return row | {"at": entry.at.isoformat(), "mac": bytes(entry.mac).hex()}


def as_jsonl(entry: AuditEntry) -> str:
    return json.dumps(row_of(entry), ensure_ascii=False) + "\n"


def as_csv(entry: AuditEntry) -> str:
    row = row_of(entry) | {"details": json.dumps(entry.details, ensure_ascii=False)}
    return lines([["" if value is None else str(value) for value in row.values()]])


FORMATS: dict[str, tuple[str, str, Callable[[AuditEntry], str]]] = {
    "csv": ("text/csv; charset=utf-8", lines([COLUMNS]), as_csv),
    "jsonl": ("application/jsonl; charset=utf-8", "", as_jsonl),
}


async def written(entries: QuerySet[AuditEntry], file_format: str) -> AsyncIterator[str]:
    """The file, a piece at a time; never more than a few entries are in memory."""
    _, head, write = FORMATS[file_format]
    yield head
    async for entry in entries.aiterator(chunk_size=500):
        yield write(entry)
