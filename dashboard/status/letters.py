"""Mail to who asked to be told. Rows first, then sent by beat, as in ``accounts/notices.py``.

Nobody is told anything before they have confirmed that the address is theirs, and every letter
carries a link that ends it with one click, for people and for mail programs (RFC 8058).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from dashboard.status.subscribers import Subscriber

log = logging.getLogger(__name__)
GIVEN_UP_AFTER, KEPT = timedelta(days=3), timedelta(days=30)
AT_ONCE = 500  # letters in one round of beat


class LetterQuerySet(models.QuerySet["Letter"]):
    def announce(self, update_pk: int) -> None:
        """Have everybody who confirmed told of an update."""
        people = Subscriber.objects.confirmed().values_list("pk", flat=True)
        letters = (Letter(subscriber_id=pk, update_id=update_pk) for pk in people.iterator())
        self.bulk_create(letters, batch_size=1000)

    def ask(self, email: str) -> None:
        """Have somebody asked whether they want to be told; not who already said so."""
        subscriber, _ = Subscriber.objects.get_or_create(email=email)
        if not subscriber.confirmed_at:
            self.get_or_create(subscriber=subscriber, update=None, sent_at=None)

    def due(self) -> LetterQuerySet:
        return self.filter(sent_at=None, created_at__gt=timezone.now() - GIVEN_UP_AFTER)

    def forget(self, now: datetime) -> None:
        """Remove what is long sent, or was given up."""
        self.filter(created_at__lt=now - KEPT).delete()


class Letter(models.Model):
    """An update for one subscriber; without an update, the question whether they want any."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    update = models.ForeignKey("dashboard.Update", on_delete=models.CASCADE, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

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
        stop = settings.PUBLIC_URL + reverse(
            "status:unsubscribe", args=[self.subscriber.stop_token]
        )
        context = {
            "update": self.update,
            "brand": settings.PRODUCT.name,
            "page": settings.PUBLIC_URL + reverse("status:page"),
            "stop": stop,
            "link": settings.PUBLIC_URL + reverse("status:confirm", args=[self.subscriber.token]),
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
    due = list(Letter.objects.due().values_list("pk", flat=True)[:AT_ONCE])
    return sum(_send(pk) for pk in due)


@transaction.atomic
def _send(pk: int) -> bool:
    """The row stays locked until the mail is out, so that no other worker sends it too."""
    free = Letter.objects.select_for_update(skip_locked=True, of=("self",))
    letter = free.select_related("subscriber").filter(pk=pk, sent_at=None).first()
    if letter is None:
        return False
    try:
        letter.message().send()
    except (OSError, SMTPException):
        log.warning("the letter %s could not be sent", pk, exc_info=True)
        return False
    letter.sent_at = timezone.now()
    letter.save(update_fields=["sent_at"])
    return True
