"""Final records become rows and rollups, in one transaction and each of them once."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import msgspec
import psycopg
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from usage import adjustments, alerts, long_kept, partitions, rollup_tables, rollups
from usage.arrays import arrays
from usage.records import Final
from usage.rollups import Rollups

BOOKS = 0x75736167  # advisory lock: shared by those who post, exclusive for a rebuild
SMALLINT, INTEGER, BIGINT = 2**15 - 1, 2**31 - 1, 2**63 - 1


class Row(NamedTuple):
    """A row of the request log, with nothing in it that PostgreSQL would refuse."""

    request_id: str
    day: date
    retention_class: str
    account_id: int
    api_key_id: int
    started_at: datetime
    endpoint: str
    requested_model: str
    model: str
    provider: str
    status_code: int
    outcome: str
    error_type: str
    error_code: str
    error_message: str
    prompt_tokens: int
    completion_tokens: int
    usage_source: str
    latency_ms: int
    ttft_ms: int | None
    streamed: bool
    ip: str
    user_agent: str
    end_user: str
    attempts: int
    admitted: bool
    decision: str


_TYPES = {
    str: "text",
    int: "bigint",
    int | None: "bigint",
    bool: "boolean",
    date: "date",
    datetime: "timestamptz",
}
_NAMES = ", ".join(Row._fields)
_INSERT = f"""
INSERT INTO usage_requestlog ({_NAMES})
SELECT {_NAMES.replace("decision", "decision::jsonb")}
FROM unnest({", ".join(f"%s::{_TYPES[type_]}[]" for type_ in Row.__annotations__.values())})
AS new ({_NAMES}) ON CONFLICT DO NOTHING RETURNING request_id
"""  # noqa: S608, nothing but names of columns is put together here
# Whoever holds a key's row just now notes its use, or the next batch does: nobody waits.
_TOUCH = """
UPDATE accounts_apikey
SET last_used_at = used_at, last_used_ip = ip, last_used_model = model
FROM unnest(%b::bigint[], %b::timestamptz[], %b::text[], %b::text[])
AS used (api_key_id, used_at, ip, model)
WHERE id IN (SELECT id FROM accounts_apikey WHERE id = ANY(%b) FOR NO KEY UPDATE SKIP LOCKED)
AND id = api_key_id AND (last_used_at IS NULL OR last_used_at < used_at)
"""


class Ready(NamedTuple):
    """Some calls, each once, as they are stored if all of them are new."""

    rows: list[Row]
    columns: list[str]
    sums: Rollups


def post(finals: Sequence[Final]) -> int:
    """Store what is not stored yet; how many that were. All or nothing.

    A day without a table gets one.
    """
    return store(prepare(finals))


def prepare(finals: Sequence[Final]) -> Ready:
    """As much of the work as needs no database."""
    rows = list({final.request_id: row_of(final) for final in reversed(finals)}.values())
    return Ready(rows, arrays(rows), rollups.add_up(rows))


def store(ready: Ready) -> int:
    try:
        return _store(ready)
    except IntegrityError as error:
        if not isinstance(error.__cause__, psycopg.errors.CheckViolation):
            raise
        partitions.create({(row.retention_class, row.day) for row in ready.rows})
        return _store(ready)


@transaction.atomic
def _store(ready: Ready) -> int:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [BOOKS])
        cursor.execute(_INSERT, ready.columns)
        stored = {request_id for (request_id,) in cursor}
        new, sums = ready.rows, ready.sums
        if len(stored) < len(new):
            new = [row for row in new if row.request_id in stored]
            sums = rollups.add_up(new)
        rollup_tables.add(cursor, sums)
        adjustments.note(cursor, sums.hours, timezone.now())
        longer = [row for row in new if row.retention_class != partitions.SHORTEST]
        long_kept.note(cursor, (row.account_id for row in longer))
        alerts.tell(cursor, new)
        _touch_keys(cursor, new)
    return len(new)


def _touch_keys(cursor: psycopg.Cursor[Any], rows: list[Row]) -> None:
    """When each key was last used, from where, for which model. To be refused is no use."""
    last: dict[int, Row] = {}
    for row in rows:
        if row.status_code in (401, 403):
            continue
        if row.started_at >= last.get(row.api_key_id, row).started_at:
            last[row.api_key_id] = row
    if last:
        used = [(row.started_at, row.ip, row.model) for row in last.values()]
        columns = [list(column) for column in zip(*used, strict=True)]
        cursor.execute(_TOUCH, [list(last), *columns, list(last)])


def row_of(final: Final) -> Row:
    started_at = datetime.fromtimestamp(final.started_at, UTC)
    known_class = final.retention_class in partitions.DAYS_KEPT
    return Row(
        request_id=clean(final.request_id, 40),
        day=started_at.date(),
        retention_class=final.retention_class if known_class else "standard",
        account_id=final.account_id,
        api_key_id=final.api_key_id,
        started_at=started_at,
        endpoint=clean(final.endpoint, 40),
        requested_model=clean(final.requested_model, 200),
        model=clean(final.model, 200),
        provider=clean(final.provider, 100),
        status_code=min(final.status_code, SMALLINT),
        outcome=clean(final.outcome, 20),
        error_type=clean(final.error_type, 100),
        error_code=clean(final.error_code, 100),
        error_message=clean(final.error_message, 2000),
        prompt_tokens=min(final.prompt_tokens, BIGINT),
        completion_tokens=min(final.completion_tokens, BIGINT),
        usage_source=clean(final.usage_source, 10),
        latency_ms=min(final.latency_ms, INTEGER),
        ttft_ms=None if final.ttft_ms is None else min(final.ttft_ms, INTEGER),
        streamed=final.streamed,
        ip=clean(final.ip, 45),
        user_agent=clean(final.user_agent, 300),
        end_user=clean(final.end_user, 200),
        attempts=min(final.attempts, SMALLINT),
        admitted=bool(final.lease),
        decision=clean_json(final.decision),
    )


def clean(text: str, longest: int) -> str:
    """Text that PostgreSQL takes: no NUL, no lone surrogate, not too long."""
    text = text[:longest]
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def clean_json(document: bytes) -> str:
    """JSON that ``jsonb`` takes; where there is no telling what was meant, an empty object."""
    try:
        if b"\\u" in document:
            document = msgspec.json.encode(_clean_values(json.loads(document)))
        msgspec.json.decode(document)
        return document.decode()
    except (ValueError, RecursionError, msgspec.DecodeError):
        return "{}"


def _clean_values(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, len(value))
    if isinstance(value, list):
        return [_clean_values(item) for item in value]
    if isinstance(value, dict):
        return {_clean_values(name): _clean_values(item) for name, item in value.items()}
    return value
