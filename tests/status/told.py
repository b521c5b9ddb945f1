"""Receivers of the status for tests, and workers that do at once what a real one would."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.audit import SYSTEM
from dashboard.models import Dispatch, Incident, Receiver
from dashboard.status import dispatching
from tests.webhooks.receivers import Receiver as Program


@dataclass(frozen=True)
class Asked:
    """What the page showed to whoever gave a URL."""

    secret: str
    link: str


def ask(visitor: Client, url: str, **fields: object) -> Asked:
    page = visitor.post("/status/webhook", {"url": url, **fields}).content.decode()
    secret, link = (
        re.search(form, page) for form in (r"whsec_[\w+/=]+", r"/status/webhook/[^<\"]+")
    )
    assert secret
    assert link
    return Asked(secret[0], link[0])


def work() -> None:
    """What workers do until nothing is due."""
    for receiver in Receiver.objects.all():
        for _ in range(receiver.dispatches.due().count()):
            dispatching.tell(receiver.pk)


def echo(program: Program) -> None:
    """Let it answer with the challenge that it was sent last."""
    challenge = program.received[-1].document["data"]["challenge"]
    program.answer = json.dumps({"challenge": challenge}).encode()


def later(span: timedelta) -> None:
    """As if so much time had passed for what waits, and for those who fail."""
    for dispatch in Dispatch.objects.filter(next_attempt_at__isnull=False):
        assert dispatch.next_attempt_at
        dispatch.next_attempt_at -= span
        dispatch.claimed_until = dispatch.claimed_until and dispatch.claimed_until - span
        dispatch.save()
    for receiver in Receiver.objects.filter(failing_since__lte=timezone.now()):
        assert receiver.failing_since
        receiver.failing_since -= span
        receiver.save()


def subscribed(visitor: Client, program: Program, **fields: object) -> Asked:
    """A program that has answered its challenge; what it received until then is put away."""
    asked = ask(visitor, program.url, **fields)
    work()
    echo(program)
    later(timedelta(minutes=1))
    work()
    assert Receiver.objects.confirmed().filter(url=program.url).exists()
    program.received.clear()
    return asked


def open_incident(**about: object) -> Incident:
    return Incident.objects.open("Calls fail", "We look.", by=SYSTEM, **about)  # type: ignore[arg-type]
