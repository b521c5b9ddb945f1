"""What is still remembered, and what is forgotten: a day at a time, archived before if it must."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Account
from usage import archive, partitions
from usage.bucket import Bucket, BucketTrouble
from usage.models import RequestLog

log = logging.getLogger(__name__)
PRUNING = 0x7072756E  # advisory lock of the one worker that prunes
ARCHIVED = frozenset({"extended"})  # classes that go to the bucket, where there is one


@dataclass(frozen=True, slots=True)
class Kept:
    """What the log has of an account, and for how many ``days`` it keeps what happens now."""

    days: int
    oldest: datetime | None
    next_purge: date | None  # at the beginning of this UTC day the first rows of those go

    @property
    def overdue(self) -> bool:
        """Whether something that should be gone waits: for its archive, or for a reader."""
        return self.next_purge is not None and self.next_purge <= partitions.today()


def kept(account: Account) -> Kept:
    """An account can have rows of both classes, from before and after its plan changed."""
    rows = [oldest_rows(account, name) for name in partitions.DAYS_KEPT]
    first_rows = list(rows[0].union(*rows[1:], all=True))
    return Kept(
        partitions.DAYS_KEPT[class_of(account)],
        min((row.started_at for row in first_rows), default=None),
        min(map(next_purge, first_rows), default=None),
    )


def class_of(account: Account) -> str:
    """The retention class of what this account does from now on."""
    subscription = getattr(account, "subscription", None)
    return subscription.retention_class if subscription else "standard"


def oldest_rows(account: Account, retention_class: str) -> QuerySet[RequestLog]:
    """One, or none."""
    rows = RequestLog.objects.filter(account=account, retention_class=retention_class)
    return rows.order_by("started_at", "request_id")[:1]


def next_purge(row: RequestLog) -> date:
    """The UTC day at whose beginning a row is forgotten."""
    return partitions.forgotten_on(row.retention_class, row.day)


def prune() -> list[str]:
    """Forget the days that are kept no longer; the names of their tables.

    Where there is a bucket, a day of an archived class goes only once all of it is there. While
    the bucket cannot be reached, those days stay; the others go. One worker at a time does it.
    """
    with _alone() as alone:
        return _prune() if alone else []


def _prune() -> list[str]:
    bucket, dropped = Bucket.from_settings(), []
    for retention_class, day in partitions.due():
        rows = None
        if bucket and retention_class in ARCHIVED:
            try:
                rows = archive.keep(bucket, retention_class, day)
            except BucketTrouble as trouble:
                log.error("%s (%s) stays until it is archived: %s", day, retention_class, trouble)
                continue
        if partitions.drop(retention_class, day, rows=rows):
            dropped.append(partitions.day_table(retention_class, day))
    return dropped


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else prunes just now; if so, nobody begins until we are done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [PRUNING])
        (alone,) = cursor.fetchone()
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [PRUNING])
