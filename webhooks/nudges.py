"""A word to the workers that something is due. It may get lost: the rows are the truth."""

import logging
from collections.abc import Iterable

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)
TASK = "webhooks.tasks.deliver"


def nudge(endpoint_pk: int) -> None:
    """Have a worker look after one endpoint; where the broker is away, the sweep will."""
    try:
        current_app.send_task(TASK, [endpoint_pk], retry=False, expires=60)
    except Exception as error:
        log.warning("endpoint %s waits for the sweep: %s", endpoint_pk, error)


def on_commit(endpoint_pks: Iterable[int]) -> None:
    for pk in endpoint_pks:
        transaction.on_commit(lambda pk=pk: nudge(pk))  # type: ignore[misc]
