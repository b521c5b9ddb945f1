"""Mail about requests for help: to who wrote that it is here and what we say, and to operators.

A letter to a writer whom we do not know holds nothing of what was written to us, so that nobody
has us send words of theirs to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse

from dashboard import outbox
from dashboard.support.messages import SupportMessage


class Nature(models.TextChoices):
    """What a letter is; its text is ``templates/support/mail/<value>.txt``."""

    RECEIVED = "received"
    ASKED = "asked"
    ANSWERED = "answered"


class SupportLetter(outbox.Outgoing):
    """A mail about a message: to operators that something is asked, else to who asked it."""

    about = models.ForeignKey(SupportMessage, on_delete=models.CASCADE, related_name="letters")
    nature = models.CharField(max_length=10, choices=Nature)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(sent_at=None),
                name="support_letter_due",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["about", "nature"], name="support_letter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.nature}: {self.about_id}"

    def message(self) -> EmailMessage:
        asked = self.about.request
        context = {
            "message": self.about,
            "asked": asked,
            "brand": settings.PRODUCT.name,
            "thread": settings.PUBLIC_URL + reverse("support:request", args=[asked.number]),
            "contact": settings.PUBLIC_URL + reverse("support:contact"),
            "inbox": settings.PUBLIC_URL
            + reverse("admin:dashboard_supportrequest_change", args=[asked.pk]),
        }
        text = render_to_string(f"support/mail/{self.nature}.txt", context).strip()
        subject, _, body = text.partition("\n")
        to = _operators() if self.nature == Nature.ASKED else asked.readers
        return EmailMessage(" ".join(subject.split())[:200], body.strip() + "\n", to=list(to))


def _operators() -> Iterable[str]:
    """Those of this server, and the address where its operators read mail together."""
    people = get_user_model().objects.filter(is_active=True, is_staff=True)
    several = {*people.values_list("email", flat=True), settings.SUPPORT_EMAIL}
    return sorted(several - {""})


def send_due() -> int:
    """Send what was not sent yet, each once; how many that were. What fails is tried again."""
    return outbox.send_due(SupportLetter)
