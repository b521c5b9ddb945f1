"""The development mailbox: where mail goes while no mail server is configured.

Messages are files in the data folder, readable by its owner. The page that shows them to every
visitor exists only on an instance that nobody else reaches, or where ``KEYPLEX_MAILBOX`` asks
for it.
"""

import email
import email.policy
import logging
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = logging.getLogger(__name__)
KEPT = 100
CODE = re.compile(r"^\s*([A-Z0-9]{3,}(?:-[A-Z0-9]{3,})+|[A-Z0-9]{6,})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Mail:
    """One message as the page shows it. ``code`` is empty where the text has none."""

    recipients: str
    subject: str
    text: str
    sent_at: datetime
    code: str


class Backend(BaseEmailBackend):
    """Django's way of sending, into files."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            keep(message.message().as_bytes())
            log.info("mail to %s is in %s", ", ".join(message.to), folder())
        return len(email_messages)


def folder() -> Path:
    found: Path = settings.INSTANCE.data / "mailbox"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def keep(content: bytes) -> None:
    """Add a message, whole or not at all; the oldest ones go."""
    name = f"{time.time_ns()}-{secrets.token_hex(4)}"
    draft = folder() / f"{name}.new"
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.rename(draft.with_suffix(".eml"))
    for old in sorted(folder().glob("*.eml"))[:-KEPT]:
        old.unlink(missing_ok=True)


def mails() -> list[Mail]:
    """What was sent, newest first."""
    return [read(path) for path in sorted(folder().glob("*.eml"), reverse=True)]


def read(path: Path) -> Mail:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    text = body.get_content().strip() if body else ""
    code = CODE.search(text)
    sent_at = datetime.fromtimestamp(int(path.name.partition("-")[0]) / 1e9, UTC)
    return Mail(str(message["To"]), str(message["Subject"]), text, sent_at, code[1] if code else "")


@login_not_required
@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    if not settings.MAILBOX_OPEN:
        raise Http404("This server has no open mailbox.")
    return render(request, "mailbox.html", {"mails": mails()})
