"""The request log lies in one table per retention class and day, so forgetting a day is a drop.

New days are attached and old ones dropped without ever making a writer wait for long.
"""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import OperationalError, connection, transaction

log = logging.getLogger(__name__)
TABLE = "usage_requestlog"
DAYS_KEPT = {"standard": 30, "extended": 365}
SHORTEST = min(DAYS_KEPT, key=DAYS_KEPT.__getitem__)
DAYS_AHEAD = 7
PATIENCE = "40ms"  # how long a drop may queue for each of its locks, and everybody behind it
TRIES, BREATH = 20, 0.1  # seconds between two tries, in which those behind it go on


def today() -> date:
    return datetime.now(UTC).date()


def class_table(retention_class: str) -> str:
    return f"{TABLE}_{retention_class}"


def day_table(retention_class: str, day: date) -> str:
    return f"{class_table(retention_class)}_{day:%Y%m%d}"


@transaction.atomic
def create(wanted: Iterable[tuple[str, date]]) -> None:
    """Make sure that these (retention class, day) have a table, whoever else does the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [TABLE])
        for retention_class, day in sorted(wanted):
            parent, table = class_table(retention_class), day_table(retention_class, day)
            cursor.execute("SELECT to_regclass(%s)", [table])
            if cursor.fetchone() != (None,):
                continue
            # Attached, not created in place: that would lock out every reader and writer.
            cursor.execute(f"CREATE TABLE {table} (LIKE {parent} INCLUDING ALL)")
            cursor.execute(
                f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES FROM (%s) TO (%s)",
                [day, day + timedelta(days=1)],
            )


def create_ahead() -> None:
    """The tables of today and the days to come."""
    days = [today() + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)]
    create((retention_class, day) for retention_class in DAYS_KEPT for day in days)


def existing() -> list[tuple[str, date]]:
    """The (retention class, day) that have a table, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT parent.relname, child.relname FROM pg_inherits"
            " JOIN pg_class parent ON parent.oid = inhparent"
            " JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = ANY(%s::regclass[]) ORDER BY child.relname",
            [[class_table(retention_class) for retention_class in DAYS_KEPT]],
        )
        names = cursor.fetchall()
    return [
        (
            parent.removeprefix(f"{TABLE}_"),
            datetime.strptime(child.rpartition("_")[2], "%Y%m%d").replace(tzinfo=UTC).date(),
        )
        for parent, child in names
    ]


def complete_days() -> list[date]:
    """The days of which every row is still there, oldest first."""
    oldest = today() - timedelta(days=DAYS_KEPT[SHORTEST])
    return [day for name, day in existing() if name == SHORTEST and oldest <= day <= today()]


def forgotten_on(retention_class: str, day: date) -> date:
    """The day at whose beginning a day's rows go."""
    return day + timedelta(days=DAYS_KEPT[retention_class] + 1)


def due() -> list[tuple[str, date]]:
    """The (retention class, day) that are kept no longer, oldest first."""
    return [one for one in existing() if forgotten_on(*one) <= today()]


def drop(retention_class: str, day: date, *, rows: int | None = None) -> bool:
    """Forget a day; False where it stays until the next time.

    It stays where somebody reads the log for long just then, and where it does not hold just so
    many ``rows``, if their number is given.
    """
    for _ in range(TRIES):
        try:
            return _drop(day_table(retention_class, day), rows)
        except OperationalError as error:
            log.info("%s of class %s stays for now: %s", day, retention_class, error)
            time.sleep(BREATH)
    return False


@transaction.atomic
def _drop(table: str, rows: int | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        if rows is not None:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")  # others still read
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            if cursor.fetchone() != (rows,):
                return False
        cursor.execute(f"DROP TABLE {table}")
    return True
