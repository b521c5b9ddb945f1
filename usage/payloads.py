"""What was captured of requests and answers, in one table per day of which it is forgotten.

Each account says for how many days it keeps them, and forgetting is a drop all the same, because
a payload lies by the day after its last, not by the day of its request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from django.db import OperationalError, connection, transaction

from usage.models import Payload, day_of
from usage.partitions import PATIENCE, today
from usage.records import Payload as Record

log = logging.getLogger(__name__)
TABLE = "usage_payload"
MOST_DAYS = 7


def store(records: Sequence[Record]) -> None:
    """Those that are not stored yet and not to be forgotten already; all or nothing."""
    rows = [row for row in map(row_of, records) if row.forget_on > today()]
    if rows:
        create({row.forget_on for row in rows})
        Payload.objects.bulk_create(rows, ignore_conflicts=True)


def get(account_id: int, request_id: str) -> Payload | None:
    """What was captured of a request of this account, for as long as it may be seen."""
    day = day_of(request_id)
    if day is None:
        return None
    around = (max(day, today() + timedelta(1)), day + timedelta(days=MOST_DAYS + 2))
    found = Payload.objects.filter(request_id=request_id, forget_on__range=around)
    return found.filter(account_id=account_id).first()


@transaction.atomic
def create(days: Iterable[date]) -> None:
    """Make sure that what is forgotten on these days has a table."""
    with connection.cursor() as cursor:
        for day in sorted(set(days) - set(existing())):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [TABLE])
            table = day_table(day)
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} (LIKE {TABLE} INCLUDING ALL)")
            cursor.execute("SELECT 1 FROM pg_inherits WHERE inhrelid = %s::regclass", [table])
            if cursor.fetchone() is None:  # attached, so that no reader has to wait
                bounds = [day, day + timedelta(days=1)]
                cursor.execute(
                    f"ALTER TABLE {TABLE} ATTACH PARTITION {table} FOR VALUES FROM (%s) TO (%s)",
                    bounds,
                )


def existing() -> list[date]:
    """The days that have a table, the one to go next first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid"
            " WHERE inhparent = %s::regclass ORDER BY relname",
            [TABLE],
        )
        names = [name for (name,) in cursor.fetchall()]
    return [datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date() for name in names]


def prune() -> list[str]:
    """Drop what is to be forgotten by now; the names of the tables.

    Where somebody reads a payload just then, the day goes next time: nobody is shown it anyway.
    """
    dropped = []
    for day in existing():
        if day > today():
            break
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                cursor.execute(f"DROP TABLE {day_table(day)}")
        except OperationalError as error:
            log.info("%s stays for now: %s", day_table(day), error)
        else:
            dropped.append(day_table(day))
    return dropped


def day_table(day: date) -> str:
    return f"{TABLE}_{day:%Y%m%d}"


def row_of(record: Record) -> Payload:
    began_on = datetime.fromtimestamp(record.started_at, UTC).date()
    days = min(max(record.days, 1), MOST_DAYS)
    return Payload(
        request_id=record.request_id[:40],
        forget_on=began_on + timedelta(days=days + 1),
        account_id=record.account_id,
        api_key_id=record.api_key_id,
        request=record.request.replace("\x00", "\ufffd"),
        response=record.response.replace("\x00", "\ufffd"),
        request_bytes=record.request_bytes,
        response_bytes=record.response_bytes,
    )
