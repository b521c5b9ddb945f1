"""Who wants to be told of some parts or models only is told of those, and of what concerns all."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.audit import SYSTEM
from dashboard.models import Receiver, Subscriber
from dashboard.status.letters import send_due
from tests.dashboard.conftest import text_of
from tests.status.conftest import MODEL, OURS
from tests.status.told import ask, open_incident, subscribed, work
from tests.webhooks.conftest import at_home, receiver
from tests.webhooks.receivers import Receiver as Program

__all__ = ["at_home", "receiver"]
THIS_MODEL = f"model:{MODEL}"


def reader(*topics: str, email: str = "reader@example.com") -> Subscriber:
    subscriber = Subscriber.objects.create(email=email, topics=list(topics))
    subscriber.confirm()
    return subscriber


@pytest.mark.parametrize(
    ("topics", "about", "told"),
    [
        ([], {"parts": ["api"]}, True),
        ([], {"model_ids": [MODEL]}, True),
        (["api"], {"parts": ["api", "log"]}, True),
        (["api"], {"parts": ["log"]}, False),
        (["api"], {"model_ids": [MODEL]}, False),
        (["api"], {}, True),
        (["models"], {"model_ids": [MODEL]}, True),
        (["models"], {"parts": ["api"]}, False),
        ([THIS_MODEL], {"model_ids": [MODEL, "other"]}, True),
        ([THIS_MODEL], {"model_ids": ["other"]}, False),
        (["log", THIS_MODEL], {"parts": ["log"]}, True),
    ],
)
def test_only_those_are_told_whom_it_concerns(
    visitor: Client, topics: list[str], about: dict[str, list[str]], told: bool
) -> None:
    reader(*topics)
    url = "https://hooks.example.org/status"
    ask(visitor, url)
    program = Receiver.objects.get()
    program.choose(topics)
    program.confirm()

    open_incident(**about).resolve("Over.", by=SYSTEM)

    assert send_due() == (2 if told else 0)
    assert program.dispatches.filter(update__isnull=False).count() == (2 if told else 0)


def test_who_asks_for_mail_chooses_at_once_and_reads_it_before_saying_yes(visitor: Client) -> None:
    form = {"email": "reader@example.com", "broad": ["api"], "single": [THIS_MODEL]}
    visitor.post("/status/subscribe", form)
    send_due()

    [question] = mail.outbox
    link = re.search(r"/status/confirm/\S+", str(question.body))

    assert link
    assert f"Only of: API, {MODEL}." in question.body
    assert f"that concerns API, {MODEL}." in text_of(visitor.get(link[0]))
    assert Subscriber.objects.get().topics == ["api", THIS_MODEL]


def test_whoever_asks_again_does_not_change_what_others_are_told(visitor: Client) -> None:
    subscriber = reader("api")

    visitor.post("/status/subscribe", {"email": subscriber.email, "broad": ["log"]})

    subscriber.refresh_from_db()
    assert subscriber.topics == ["api"]


def test_the_link_in_each_letter_changes_the_choice(visitor: Client) -> None:
    subscriber = reader()
    other = reader(email="other@example.com")
    open_incident()
    send_due()
    found = re.search(r"/status/choose/\S+", str(mail.outbox[0].body))
    assert found

    shown = visitor.get(found[0])
    saved = visitor.post(found[0], {"broad": ["webhooks"]}, follow=True)

    assert "Everything." in text_of(shown)
    assert "Webhooks." in text_of(saved)
    subscriber.refresh_from_db()
    other.refresh_from_db()
    assert (subscriber.topics, other.topics) == (["webhooks"], [])


def test_a_link_of_another_kind_changes_nothing(visitor: Client) -> None:
    subscriber = reader()

    for token in (subscriber.token, subscriber.stop_token + "x", "1"):
        assert visitor.post(f"/status/choose/{token}", {"broad": ["log"]}).status_code == 404

    subscriber.refresh_from_db()
    assert subscriber.topics == []


@pytest.mark.parametrize("topic", [f"model:{OURS}", "model:unknown", "unknown", "api"])
def test_what_is_not_watched_cannot_be_chosen(visitor: Client, topic: str) -> None:
    subscriber = reader()

    answer = visitor.post(f"/status/choose/{subscriber.stop_token}", {"single": [topic]})

    assert answer.status_code == 422
    assert "is not one of the available choices" in text_of(answer)


def test_the_link_of_a_url_changes_its_choice(visitor: Client, receiver: Program) -> None:
    asked = subscribed(visitor, receiver, broad=["log"])
    open_incident(parts=["api"])
    visitor.post(asked.link, {"broad": ["api", "models"], "single": [THIS_MODEL]})
    open_incident(parts=["api"])

    work()

    assert [post.type for post in receiver.received] == ["incident.opened"]
    assert Receiver.objects.get().topics == ["api", "models"]
