"""What is posted to receivers: rows of the transaction that gives reason for them.

The rows are the truth, the queue is only a nudge: what is due goes out with the next sweep, should
the broker have been away. ``dispatching`` sends them.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from celery import current_app
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from dashboard.status.documents import Kind, said, written_down
from dashboard.status.receivers import Receiver
from dashboard.status.topics import concerned_by
from webhooks.claims import LEASE
from webhooks.nudges import FAILING, QUEUE

if TYPE_CHECKING:
    from dashboard.status.updates import Update

log = logging.getLogger(__name__)
KEPT = timedelta(days=30)
TASK = "dashboard.tasks.tell_receiver"
NUDGED_FOR = 15  # seconds; then the sweep nudges again


def new_id() -> str:
    return f"sts_{secrets.token_hex(14)}"


class DispatchQuerySet(models.QuerySet["Dispatch"]):
    @transaction.atomic
    def announce(self, update: Update) -> None:
        """Have the receivers whom it concerns told of an update."""
        receivers = list(Receiver.objects.confirmed().filter(concerned_by(update.about)))
        kind, data = said(update)
        dispatches = []
        for receiver in receivers:
            one = Dispatch(pk=new_id(), receiver=receiver, update=update)
            one.payload = written_down(one.pk, kind, data, receiver.link)
            dispatches.append(one)
        self.bulk_create(dispatches, batch_size=1000)
        nudge_on_commit(receivers)

    @transaction.atomic
    def ask(self, url: str, topics: Iterable[str] = ()) -> tuple[Receiver, str]:
        """Have a URL asked whether it wants to be told. Its secret is returned here, once."""
        receiver, secret = Receiver.objects.open(url, topics)
        question = Dispatch(pk=new_id(), receiver=receiver)
        asked = {"challenge": receiver.challenge}
        question.payload = written_down(question.pk, Kind.CHALLENGE, asked, receiver.link)
        question.save(force_insert=True)
        nudge_on_commit([receiver])
        return receiver, secret

    def ask_again(self, receiver: Receiver) -> None:
        """Have it asked anew, as often as at first; not while it is being asked."""
        question = self.filter(receiver=receiver, update=None, receiver__confirmed_at=None)
        question.exclude(claimed_until__gt=timezone.now()).update(
            attempts_made=0, next_attempt_at=timezone.now()
        )
        nudge_on_commit([receiver])

    def due(self) -> DispatchQuerySet:
        """What should be sent now, the oldest first."""
        return self.filter(next_attempt_at__lte=timezone.now()).order_by("created_at", "pk")

    def claim(self, receiver: Receiver) -> Dispatch | None:
        """Take the oldest that is due there, so that no other worker sends it."""
        now = timezone.now()
        for dispatch in self.due().filter(receiver=receiver):
            mine = self.filter(pk=dispatch.pk, next_attempt_at=dispatch.next_attempt_at)
            if mine.update(
                attempts_made=F("attempts_made") + 1,
                next_attempt_at=now + LEASE,
                claimed_until=now + LEASE,
            ):
                dispatch.refresh_from_db()
                return dispatch
        return None

    def forget(self, now: datetime) -> None:
        """Remove what has long arrived, or was given up; never a question that waits."""
        self.filter(created_at__lt=now - KEPT, update__isnull=False).delete()


class Dispatch(models.Model):
    """An update on its way to a receiver; without an update, the question whether it wants any.

    ``next_attempt_at`` is None once it has arrived or was given up. A worker that sends it holds
    it until ``claimed_until``, and by then it is due again, should the worker have died.
    """

    id = models.CharField(max_length=40, primary_key=True)
    receiver = models.ForeignKey(Receiver, on_delete=models.CASCADE, related_name="dispatches")
    update = models.ForeignKey("dashboard.Update", on_delete=models.CASCADE, null=True)
    payload = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)

    objects = DispatchQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name_plural = "dispatches"
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="dispatch_due",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["receiver", "update"], name="dispatch_once"),
            models.UniqueConstraint(
                fields=["receiver"], condition=Q(update=None), name="challenge_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} to {self.receiver_id}"

    def finish(self, *, arrived: bool, again_at: datetime | None = None) -> None:
        """It has arrived, or is tried again then, or never. Nothing if it was removed meanwhile."""
        Dispatch.objects.filter(pk=self.pk).update(
            arrived_at=timezone.now() if arrived else None,
            next_attempt_at=again_at,
            claimed_until=None,
        )


def nudge(receiver: Receiver) -> None:
    """Have a worker send what is due there. Who does not answer is left to workers of their own."""
    queue = QUEUE if receiver.answers else FAILING
    try:
        current_app.send_task(TASK, [receiver.pk], queue=queue, retry=False, expires=NUDGED_FOR)
    except Exception as error:
        log.warning("a receiver of the status waits for the sweep: %s", error)


def nudge_on_commit(receivers: Sequence[Receiver]) -> None:
    def nudge_all() -> None:
        for receiver in receivers:
            nudge(receiver)

    transaction.on_commit(nudge_all, robust=True)


def sweep() -> None:
    """Nudge for every receiver that has something due."""
    due = Dispatch.objects.due().order_by().values("receiver_id").distinct()
    for receiver in Receiver.objects.filter(pk__in=due):
        nudge(receiver)
