"""A word to the workers that something is due. It may get lost: the rows are the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from celery import current_app
from django.db import transaction

if TYPE_CHECKING:
    from webhooks.endpoints import Endpoint

log = logging.getLogger(__name__)
TASK = "webhooks.tasks.deliver"
QUEUE = "webhooks"
FAILING = "webhooks-failing"  # has workers of its own: who says nothing keeps them for long


def nudge(endpoint: Endpoint) -> None:
    """Have a worker look after one endpoint; where the broker is away, the sweep will."""
    queue = FAILING if endpoint.failing_since else QUEUE
    try:
        current_app.send_task(TASK, [endpoint.pk], queue=queue, retry=False, expires=60)
    except Exception as error:
        log.warning("endpoint %s waits for the sweep: %s", endpoint.pk, error)


def on_commit(endpoints: Iterable[Endpoint]) -> None:
    def nudge_all() -> None:
        for endpoint in endpoints:
            nudge(endpoint)

    transaction.on_commit(nudge_all)
