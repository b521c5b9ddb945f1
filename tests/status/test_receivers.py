"""Posts to URLs of anybody: after the URL has said yes, signed, each once, until it says no."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.conf import settings as ours
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook

from accounts.audit import SYSTEM
from dashboard.instance import ROOT
from dashboard.models import Dispatch, Maintenance, Receiver
from dashboard.status import watch
from dashboard.status.documents import Kind
from tests.dashboard.conftest import text_of
from tests.status.told import ask, echo, later, open_incident, subscribed, work
from tests.webhooks.conftest import at_home, receiver
from tests.webhooks.receivers import Receiver as Program
from tests.webhooks.receivers import receiving

__all__ = ["at_home", "receiver"]
HOOK = "https://hooks.example.org/status"


def test_a_url_is_told_only_after_it_has_answered_the_challenge(
    visitor: Client, receiver: Program
) -> None:
    asked = ask(visitor, receiver.url)
    open_incident()
    work()
    assert [post.type for post in receiver.received] == ["status.challenge"]
    assert "not confirmed" in text_of(visitor.get(asked.link))

    echo(receiver)
    visitor.post(f"{asked.link}/ask")
    work()
    open_incident()
    work()

    assert [post.type for post in receiver.received[1:]] == ["status.challenge", "incident.opened"]
    assert "is told" in text_of(visitor.get(asked.link))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("{}", True),
        (" {}\n", True),
        ('{{"challenge": "{}", "more": []}}', True),
        ("{}x", False),
        ('{{"challenge": ["{}"]}}', False),
        ("[" * 4000, False),
    ],
)
def test_the_challenge_comes_back_as_text_or_as_json(
    visitor: Client, receiver: Program, answer: str, told: bool
) -> None:
    ask(visitor, receiver.url)
    challenge = Receiver.objects.get().challenge
    receiver.answer = (answer.format(challenge) if "{}" in answer else answer).encode()

    work()

    assert Receiver.objects.confirmed().exists() is told


def test_the_right_answer_with_the_wrong_status_is_none(visitor: Client, receiver: Program) -> None:
    receiver.statuses = [500]
    ask(visitor, receiver.url)
    receiver.answer = Receiver.objects.get().challenge.encode()

    for _ in range(6):
        work()
        later(timedelta(hours=1))

    assert len(receiver.received) == 4
    assert not Receiver.objects.confirmed().exists()


def test_the_secret_is_shown_once(visitor: Client, receiver: Program) -> None:
    asked = ask(visitor, receiver.url)

    page = visitor.get(asked.link)

    assert page["Cache-Control"].count("no-store")
    assert "whsec_" not in page.content.decode()
    assert asked.secret not in str(
        list(Receiver.objects.values()) + list(Dispatch.objects.values())
    )


def test_each_thing_that_is_said_is_posted_once_and_signed(
    visitor: Client, receiver: Program
) -> None:
    asked = subscribed(visitor, receiver)
    incident = open_incident(parts=["api"], impact="major")
    incident.update("identified", "We know.", by=SYSTEM)
    incident.resolve("Over.", by=SYSTEM)

    work()
    work()

    kinds = [
        Webhook(asked.secret).verify(post.body, post.headers)["type"] for post in receiver.received
    ]
    assert kinds == ["incident.opened", "incident.updated", "incident.resolved"]
    first = receiver.received[0].document
    said = first["data"]["incident"]
    assert (said["id"], said["title"], said["impact"]) == (incident.pk, "Calls fail", "major")
    assert (said["state"], said["components"], said["models"]) == ("investigating", ["api"], [])
    assert first["data"]["update"]["text"] == "We look."
    assert first["subscription"] == ours.PUBLIC_URL + asked.link
    assert len({post.document["id"] for post in receiver.received}) == 3


def test_maintenance_is_posted_from_its_plan_to_its_end(visitor: Client, receiver: Program) -> None:
    subscribed(visitor, receiver)
    times = {"starts_at": timezone.now() + timedelta(hours=1)}
    times["ends_at"] = times["starts_at"] + timedelta(hours=1)
    planned = Maintenance.objects.plan("New", "It will be.", by=SYSTEM, **times)
    planned.update("Soon.", by=SYSTEM)
    planned.begin("Now.", by=SYSTEM)
    planned.update("It takes longer.", by=SYSTEM)
    planned.end("Done.", by=SYSTEM)

    work()

    assert [post.type.removeprefix("maintenance.") for post in receiver.received] == [
        *("planned", "updated", "begun", "updated", "ended")
    ]


def test_what_did_not_arrive_is_sent_again_the_same_until_it_does(
    visitor: Client, receiver: Program
) -> None:
    asked = subscribed(visitor, receiver)
    receiver.statuses = [500, 200]
    incident = open_incident()
    work()
    incident.update("identified", "We know.", by=SYSTEM, impact="major")
    work()
    assert "failing" not in text_of(visitor.get(asked.link))

    later(timedelta(minutes=1))
    work()
    later(timedelta(hours=1))
    work()

    failed, other, again = receiver.received
    assert (other.type, again.body) == ("incident.updated", failed.body)
    assert not Dispatch.objects.filter(arrived_at=None).exists()


def test_two_workers_do_not_send_the_same(visitor: Client, receiver: Program) -> None:
    subscribed(visitor, receiver)
    open_incident()
    told = Receiver.objects.get()

    mine, nothing = Dispatch.objects.claim(told), Dispatch.objects.claim(told)

    assert mine
    assert nothing is None
    later(timedelta(seconds=31))  # the worker that held it has died
    assert Dispatch.objects.claim(told) == mine


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_url_that_answers_410_is_forgotten(
    visitor: Client, receiver: Program, confirmed: bool
) -> None:
    asked = (subscribed if confirmed else lambda v, r: ask(v, r.url))(visitor, receiver)
    receiver.statuses = [410]
    open_incident()

    work()

    assert not Receiver.objects.exists()
    assert visitor.get(asked.link).status_code == 404


def test_five_days_of_failures_are_the_end(visitor: Client, receiver: Program) -> None:
    subscribed(visitor, receiver)
    receiver.statuses = [500]
    open_incident()

    for _ in range(9):
        work()
        later(timedelta(hours=30))
    assert Receiver.objects.get().failures == 9
    work()

    assert not Receiver.objects.exists()
    assert len(receiver.received) == 10


def test_many_failures_at_once_are_not_the_end(visitor: Client, receiver: Program) -> None:
    subscribed(visitor, receiver)
    receiver.statuses = [500]
    for _ in range(12):
        open_incident()

    work()

    assert Receiver.objects.get().failures == 12


def test_one_success_makes_up_for_failures(visitor: Client, receiver: Program) -> None:
    subscribed(visitor, receiver)
    receiver.statuses = [500, 200]
    open_incident()
    work()
    assert Receiver.objects.get().failing_since

    later(timedelta(minutes=5))
    work()

    told = Receiver.objects.get()
    assert (told.failing_since, told.failures) == (None, 0)


def test_the_link_ends_it_and_nobody_else_can(visitor: Client, receiver: Program) -> None:
    asked = subscribed(visitor, receiver)
    open_incident()

    for wrong in (asked.link + "x", "/status/webhook/MQ:x", "/status/webhook/1"):
        assert visitor.get(wrong).status_code == 404
        assert visitor.post(f"{wrong}/ask").status_code == 404
        assert visitor.post(wrong, {"broad": ["api"]}).status_code == 404
        visitor.post(f"{wrong}/stop")
    assert visitor.get(f"{asked.link}/stop").status_code == 405
    assert Receiver.objects.get().topics == []

    assert visitor.post(f"{asked.link}/stop").status_code == 200
    assert visitor.post(f"{asked.link}/stop").status_code == 200
    assert not Dispatch.objects.exists()
    assert visitor.get(asked.link).status_code == 404


def test_a_url_is_told_by_one_subscription(visitor: Client, receiver: Program) -> None:
    first = subscribed(visitor, receiver)
    second = ask(visitor, receiver.url)
    receiver.answer = Receiver.objects.get(confirmed_at=None).challenge.encode()

    work()

    assert Receiver.objects.count() == 1
    assert visitor.get(first.link).status_code == 200
    assert visitor.get(second.link).status_code == 404


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "Write the URL to tell."),
        ("hooks.example.org", "The URL must begin with https://"),
        ("http://hooks.example.org/", "The URL must begin with https://."),
        ("https://localhost/", "This host cannot be reached from the internet."),
        ("https://169.254.169.254/", "This host cannot be reached from the internet."),
        ("https://me:secret@hooks.example.org/", "must not carry a user name"),
        ("https://hooks.example.org/" + "x" * 500, "at most 500 characters"),
    ],
)
def test_where_nobody_should_be_told_is_said_beside_the_field(
    visitor: Client, url: str, said: str
) -> None:
    answer = visitor.post("/status/webhook", {"url": url})

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert not Receiver.objects.exists()


def test_a_host_that_may_not_be_reached_any_more_is_sent_nothing(
    visitor: Client, receiver: Program, settings: Settings
) -> None:
    subscribed(visitor, receiver)
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("10.0.0.0/8"),)
    open_incident()

    work()

    assert receiver.received == []
    assert Receiver.objects.get().failures == 1


def test_a_url_is_asked_three_times_a_day_and_a_visitor_asks_twenty_an_hour(
    visitor: Client,
) -> None:
    same = [visitor.post("/status/webhook", {"url": HOOK}).status_code for _ in range(4)]
    others = [
        visitor.post("/status/webhook", {"url": f"https://{n}.example.org/"}).status_code
        for n in range(17)
    ]

    assert same == [200, 200, 200, 429]
    assert others == [200] * 16 + [429]


def test_a_host_is_asked_thirty_times_a_day_whoever_asks(visitor: Client) -> None:
    answers = [
        visitor.post("/status/webhook", {"url": f"{HOOK}/{n}"}, REMOTE_ADDR=f"198.51.100.{n}")
        for n in range(31)
    ]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]


def test_who_never_answered_is_forgotten_after_two_days(visitor: Client, at_home: None) -> None:
    with receiving() as told:
        subscribed(visitor, told)
    ask(visitor, HOOK)
    Receiver.objects.update(created_at=timezone.now() - timedelta(days=2, minutes=1))

    watch.forget()

    assert list(Receiver.objects.values_list("url", flat=True)) == [told.url]


def test_every_kind_of_document_is_documented() -> None:
    page = (ROOT / "docs" / "site" / "status.md").read_text()

    assert all(f"| `{kind}` | " in page for kind in Kind.values if kind != Kind.CHALLENGE)
    assert f'"{Kind.CHALLENGE.value}"' in page
