"""A word to the workers that something is due. It may get lost: the rows are the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from celery import current_app
from django.core.cache import cache
from django.db import transaction

if TYPE_CHECKING:
    from webhooks.endpoints import Endpoint

log = logging.getLogger(__name__)
TASK = "webhooks.tasks.deliver"
QUEUE = "webhooks"
TAKEN_WITHIN = 5  # seconds; else it was lost
FAILING = "webhooks-failing"  # has workers of its own: who says nothing keeps them for long


def nudge(endpoint: Endpoint) -> None:
    """Have a worker look after one endpoint; where the broker is away, the sweep will.

    While a nudge waits to be taken, another one would say nothing new.
    """
    queue = FAILING if endpoint.failing_since else QUEUE
    try:
        if cache.add(_waiting(endpoint.pk), True, TAKEN_WITHIN):
            current_app.send_task(TASK, [endpoint.pk], queue=queue, retry=False, expires=60)
    except Exception as error:
        log.warning("endpoint %s waits for the sweep: %s", endpoint.pk, error)


def taken(endpoint_pk: int) -> None:
    """A worker looks after it from now on: what happens after this needs a nudge of its own."""
    try:
        cache.delete(_waiting(endpoint_pk))
    except Exception as error:
        log.warning("endpoint %s may wait for some seconds: %s", endpoint_pk, error)


def _waiting(endpoint_pk: int) -> str:
    return f"webhooks:nudged:{endpoint_pk}"


def on_commit(endpoints: Iterable[Endpoint]) -> None:
    def nudge_all() -> None:
        for endpoint in endpoints:
            nudge(endpoint)

    transaction.on_commit(nudge_all)
