"""Mail about an account, to those who answer for it.

A notice is a row of the transaction that gives reason for it; beat asks every few seconds for what
is due to be sent. So nobody waits for a mail server, and none is lost while it is away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from smtplib import SMTPException
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import models, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import Account

log = logging.getLogger(__name__)
GIVEN_UP_AFTER = timedelta(days=3)


class Notice(models.Model):
    """A mail to the owners and admins of an account; without one, to the operators.

    What is about money goes to who looks after that as well. Of those with the same ``once`` one
    exists.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="notices", null=True
    )
    about_money = models.BooleanField(default=False)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    once = models.CharField(max_length=100, null=True, unique=True)  # noqa: DJ001, null: any number
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(sent_at=None), name="notice_due"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def send(self) -> None:
        """Raises OSError, SMTPException."""
        send_mail(self.subject, self.text, None, list(self.recipients))

    @property
    def recipients(self) -> Iterable[str]:
        people = get_user_model().objects.filter(is_active=True)
        if self.account_id is None:
            return people.filter(is_staff=True).values_list("email", flat=True)
        roles = ["owner", "admin", *(["billing"] if self.about_money else [])]
        keepers = people.filter(memberships__account=self.account_id, memberships__role__in=roles)
        return keepers.values_list("email", flat=True)


def tell(
    account: Account | None,
    name: str,
    *,
    once: str | None = None,
    about_money: bool = False,
    **context: object,
) -> bool:
    """Have ``accounts/mail/<name>.txt`` sent, its first line as the subject.

    False if the account was told ``once`` before. Without an account it is for the operators.
    """
    about = "dashboard:billing" if about_money else "accounts:api-key-list"
    page = settings.PUBLIC_URL + reverse(about)
    context = {"account": account, "page": page, "product": settings.PRODUCT.name} | context
    subject, _, text = render_to_string(f"accounts/mail/{name}.txt", context).partition("\n")
    words = {"subject": subject[:200], "text": text.strip() + "\n"}
    said: dict[str, Any] = {"account": account, "about_money": about_money, **words}
    if once is None:
        Notice.objects.create(**said)
        return True
    return Notice.objects.get_or_create(once=once, defaults=said)[1]


def send_due() -> int:
    """Send what was not sent yet, each once; how many that were. What fails is tried again."""
    due = Notice.objects.filter(sent_at=None, created_at__gt=timezone.now() - GIVEN_UP_AFTER)
    return sum(_send(pk) for pk in due.values_list("pk", flat=True))


@transaction.atomic
def _send(pk: int) -> bool:
    """The row stays locked until the mail is out, so that no other worker sends it too."""
    notice = Notice.objects.select_for_update(skip_locked=True).filter(pk=pk, sent_at=None).first()
    if notice is None:
        return False
    try:
        notice.send()
    except (OSError, SMTPException):
        log.warning("the notice %s could not be sent", pk, exc_info=True)
        return False
    notice.sent_at = timezone.now()
    notice.save(update_fields=["sent_at"])
    return True
