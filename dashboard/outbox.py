"""Letters that wait to be sent: rows of the transaction that gives reason for them, sent by beat.

So nobody waits for a mail server, none is lost while it is away, and each is sent once.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db import models, transaction
from django.utils import timezone

log = logging.getLogger(__name__)
GIVEN_UP_AFTER = timedelta(days=3)
AT_ONCE = 500  # letters in one round of beat


class Outgoing(models.Model):
    """One letter; ``sent_at`` is None until it is out."""

    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def message(self) -> EmailMessage:
        """What is sent, as of now."""
        raise NotImplementedError


def send_due(letters: type[Outgoing]) -> int:
    """Send what was not sent yet, each once; how many that were. What fails is tried again."""
    since = timezone.now() - GIVEN_UP_AFTER
    due = letters._default_manager.filter(sent_at=None, created_at__gt=since)
    return sum(_send(letters, pk) for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]))


@transaction.atomic
def _send(letters: type[Outgoing], pk: int) -> bool:
    """The row stays locked until the mail is out, so that no other worker sends it too."""
    free = letters._default_manager.select_for_update(skip_locked=True)
    letter = free.filter(pk=pk, sent_at=None).first()
    if letter is None:
        return False
    try:
        letter.message().send()
    except (OSError, SMTPException):
        log.warning("the %s %s could not be sent", letters._meta.verbose_name, pk, exc_info=True)
        return False
    letter.sent_at = timezone.now()
    letter.save(update_fields=["sent_at"])
    return True
