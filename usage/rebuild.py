"""Rollups made again from the log, for as long as the log is complete."""

from datetime import date

import psycopg
from django.db import connection, transaction

from usage import log_store, long_kept, partitions, posting, reports, rollup_tables, rollups, spent


def rebuild(days: list[date] | None = None) -> list[date]:
    """Make the rollups of these UTC days again, or of all that the log still has as a whole.

    A day that is partly forgotten is left alone: its rollups know more than the log.
    """
    complete = partitions.complete_days()
    wanted = [day for day in complete if days is None or day in days]
    for day in wanted:
        rebuild_day(day)
    return wanted


@transaction.atomic
def rebuild_day(day: date) -> None:
    """Recorders wait meanwhile, so that no row is counted twice or not at all."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [posting.BOOKS])
        start, end = reports.hours_of(day)
        for table in rollup_tables.TABLES:
            table.model._default_manager.filter(hour__gte=start, hour__lt=end).delete()
        rollup_tables.add(cursor, rollups.add_up(log_store.calls(day)))
        spent.rebuild(cursor, day)
        long_kept.note(cursor, log_store.long_kept(day))
