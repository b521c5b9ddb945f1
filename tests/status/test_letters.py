"""Mail to who asked for it: after they said yes, each once, and never after they said no."""

import re

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from accounts.audit import SYSTEM
from dashboard.models import Incident, Letter, Subscriber
from dashboard.status import watch
from dashboard.status.letters import send_due
from dashboard.status.subscribers import GOOD_FOR
from tests.dashboard.conftest import text_of

WHO = "reader@example.com"


def ask(visitor: Client, email: str = WHO) -> int:
    return visitor.post("/status/subscribe", {"email": email}).status_code


def link_in(message: EmailMessage, kind: str) -> str:
    found = re.search(rf"/status/{kind}/\S+", str(message.body))
    assert found
    return found[0]


def subscribed(email: str = WHO) -> Subscriber:
    subscriber = Subscriber.objects.create(email=email)
    subscriber.confirm()
    return subscriber


def tell() -> Incident:
    return Incident.objects.open("Calls fail & more", "We <look>.", by=SYSTEM, parts=["api"])


def test_nobody_is_told_before_they_have_said_yes(visitor: Client) -> None:
    assert ask(visitor) == 302
    tell()
    send_due()
    [question] = mail.outbox
    link = link_in(question, "confirm")

    looked_at = visitor.get(link)
    assert looked_at.status_code == 200
    assert not Subscriber.objects.confirmed().exists()

    visitor.post(link)
    tell()
    send_due()
    assert [message.to for message in mail.outbox] == [[WHO], [WHO]]
    assert "Calls fail & more" in mail.outbox[1].subject
    assert "We <look>." in mail.outbox[1].body


def test_every_update_is_sent_once_to_everybody() -> None:
    subscribed()
    subscribed("other@example.com")
    tell().resolve("Over.", by=SYSTEM)

    assert (send_due(), send_due()) == (4, 0)

    assert sorted(message.to[0] for message in mail.outbox) == ["other@example.com"] * 2 + [WHO] * 2


def test_what_could_not_be_sent_is_sent_later(settings: object) -> None:
    subscribed()
    tell()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # type: ignore[attr-defined]
    assert send_due() == 0

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    assert send_due() == 1


def test_one_click_of_a_mail_program_is_the_end_of_it() -> None:
    subscribed()
    tell()
    send_due()
    [message] = mail.outbox
    headers = message.extra_headers

    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(
        r"<https?://[^/]+(/status/unsubscribe/\S+)>", headers["List-Unsubscribe"]
    )
    assert address
    program = Client(enforce_csrf_checks=True)
    answer = program.post(address[1], {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert not Subscriber.objects.exists()
    assert program.post(address[1]).status_code == 200
    tell()
    assert send_due() == 0


def test_who_follows_the_link_is_asked_first(visitor: Client) -> None:
    subscribed()
    tell()
    send_due()
    link = link_in(mail.outbox[0], "unsubscribe")

    assert WHO in text_of(visitor.get(link))
    assert Subscriber.objects.count() == 1
    visitor.post(link)
    assert Subscriber.objects.count() == 0
    assert visitor.get(link).status_code == 404


def test_a_link_is_good_for_what_it_was_made_for_only(visitor: Client) -> None:
    asked = Subscriber.objects.create(email=WHO)

    for token in (asked.stop_token, asked.token + "x", "nothing"):
        assert visitor.post(f"/status/confirm/{token}").status_code == 404
    visitor.post(f"/status/unsubscribe/{asked.token}")

    assert Subscriber.objects.filter(confirmed_at=None).count() == 1


def test_the_answer_does_not_tell_who_is_subscribed(visitor: Client) -> None:
    subscribed()

    pages = [
        text_of(visitor.post("/status/subscribe", {"email": email}, follow=True)).replace(email, "")
        for email in (WHO, "other@example.com")
    ]

    assert without_time(pages[0]) == without_time(pages[1])
    send_due()
    assert [message.to for message in mail.outbox] == [["other@example.com"]]


def without_time(page: str) -> str:
    return re.sub(r"\d\d:\d\d:\d\d", "", page)


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b\r\nBcc: c@example.com", "x" * 250 + "@example.com"]
)
def test_what_is_no_address_is_not_written_to(visitor: Client, email: str) -> None:
    answer = visitor.post("/status/subscribe", {"email": email})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Subscriber.objects.exists()


def test_an_address_is_asked_at_most_three_times_a_day(visitor: Client) -> None:
    answers = [ask(visitor, email) for email in (WHO, WHO.upper(), WHO, WHO)]

    assert answers == [302, 302, 302, 429]
    assert Letter.objects.count() == 1  # the others found that one still to be sent


def test_who_asks_for_many_has_to_wait(visitor: Client) -> None:
    answers = [ask(visitor, f"reader{number}@example.com") for number in range(21)]

    assert answers == [302] * 20 + [429]


def test_who_never_said_yes_is_forgotten() -> None:
    asked, told = Subscriber.objects.create(email=WHO), subscribed("other@example.com")
    Subscriber.objects.update(created_at=asked.created_at - 3 * GOOD_FOR)

    watch.forget()

    assert list(Subscriber.objects.all()) == [told]
