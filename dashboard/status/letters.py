"""Mail to who asked to be told.

Nobody is told anything before they have confirmed that the address is theirs, and every letter
carries a link that ends it with one click, for people and for mail programs (RFC 8058).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models
from django.db.models import Q
from django.template.loader import render_to_string

from dashboard import outbox
from dashboard.status.subscribers import Subscriber
from dashboard.status.summary import whole_address
from dashboard.status.topics import concerned_by

if TYPE_CHECKING:
    from dashboard.status.updates import Update

KEPT = timedelta(days=30)


class LetterQuerySet(models.QuerySet["Letter"]):
    def announce(self, update: Update) -> None:
        """Have those who confirmed, and whom it concerns, told of an update."""
        people = Subscriber.objects.confirmed().filter(concerned_by(update.about))
        pks = people.values_list("pk", flat=True)
        letters = (Letter(subscriber_id=pk, update=update) for pk in pks.iterator())
        self.bulk_create(letters, batch_size=1000)

    def ask(self, email: str, topics: Iterable[str] = ()) -> None:
        """Have somebody asked whether they want to be told; not who already said so."""
        subscriber, _ = Subscriber.objects.get_or_create(email=email)
        if not subscriber.confirmed_at:
            subscriber.choose(topics)
            self.get_or_create(subscriber=subscriber, update=None, sent_at=None)

    def forget(self, now: datetime) -> None:
        """Remove what is long sent, or was given up."""
        self.filter(created_at__lt=now - KEPT).delete()


class Letter(outbox.Outgoing):
    """An update for one subscriber; without an update, the question whether they want any."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    update = models.ForeignKey("dashboard.Update", on_delete=models.CASCADE, null=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(sent_at=None), name="letter_due")
        ]
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "update"], name="letter_once"),
            models.UniqueConstraint(
                fields=["subscriber"], condition=Q(update=None, sent_at=None), name="question_once"
            ),
        ]

    def __str__(self) -> str:
        return f"to {self.subscriber_id} about {self.update_id}"

    def message(self) -> EmailMessage:
        name = "confirm" if self.update is None else "update"
        stop_token = self.subscriber.stop_token
        stop = whole_address("status:unsubscribe", stop_token)
        context = {
            "update": self.update,
            "subscriber": self.subscriber,
            "brand": settings.PRODUCT.name,
            "page": whole_address("status:page"),
            "stop": stop,
            "choose": whole_address("status:choose", stop_token),
            "link": whole_address("status:confirm", self.subscriber.token),
        }
        text = render_to_string(f"status/mail/{name}.txt", context).strip()
        subject, _, body = text.partition("\n")
        one_click = {
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        return EmailMessage(
            " ".join(subject.split())[:200],
            body.strip() + "\n",
            to=[self.subscriber.email],
            headers=one_click if self.update else {},
        )


def send_due() -> int:
    """Send what was not sent yet, each once; how many that were. What fails is tried again."""
    return outbox.send_due(Letter)
