"""``manage.py check --deploy --tag archive``: would old days reach their archive?"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution
from django.db import DatabaseError

from usage import partitions
from usage.bucket import Bucket, BucketTrouble
from usage.retention import ARCHIVED


@register("archive", deploy=True)
def archive(**_: Any) -> list[CheckMessage]:
    """The bucket can be written and read, and no day waits for it."""
    bucket = Bucket.from_settings()
    return [*_reachable(bucket), *_waiting()] if bucket else []


def _reachable(bucket: Bucket) -> Iterator[CheckMessage]:
    try:
        bucket.check()
    except BucketTrouble as trouble:
        name = settings.ARCHIVE_BUCKET
        yield Error(
            f"The archive {name} cannot be used: {trouble}",
            hint="Until it can, requests of extended retention stay in the log.",
            id="usage.E001",
        )


def _waiting() -> Iterator[CheckMessage]:
    """A day is due in the hour after it ends; one that is due since yesterday hangs."""
    try:
        due = [day for name, day in partitions.due() if name in ARCHIVED]
    except DatabaseError:
        return
    yesterday = partitions.today() - timedelta(days=1)
    late = [day for day in due if partitions.forgotten_on("extended", day) <= yesterday]
    if late:
        yield Caution(
            f"{len(late)} days wait to be archived, the oldest is {late[0]}.",
            hint="The log of the worker says why.",
            id="usage.W001",
        )
