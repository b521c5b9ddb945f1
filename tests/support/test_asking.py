"""Anybody can ask for help, is told that it arrived, and gets no words of others mailed to them."""

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from dashboard.models import Incident, SupportLetter, SupportMessage, SupportRequest
from dashboard.support.letters import send_due
from tests.dashboard.conftest import Scene, text_of
from tests.operators import make_operator
from tests.people import make_account, make_key
from tests.support.conftest import ASKED, SOLD, WHO, make_request

ID = "req_0" + "1f" * 13 + "a"


def test_who_is_not_known_asks_and_is_told_that_it_arrived(visitor: Client) -> None:
    answer = visitor.post("/contact", {**ASKED, "request_id": ID.upper()}, follow=True)

    asked = SupportRequest.objects.get()
    assert answer.redirect_chain == [("/help", 302)]
    assert f"{asked.number} is here. We have written to {WHO}" in text_of(answer)
    assert (asked.kind, asked.state, asked.account, asked.request_id) == ("help", "open", None, ID)
    send_due()
    [letter] = [letter for letter in mail.outbox if letter.to == [WHO]]
    assert letter.subject == f"{asked.number}: your message is here"
    assert ID in letter.body
    assert "/contact" in letter.body


def test_who_is_not_known_cannot_have_words_of_theirs_mailed_to_others(visitor: Client) -> None:
    visitor.post("/contact", {**ASKED, "text": "Buy pills"})
    visitor.post("/sales", {**SOLD, "name": "Pills", "company": "Pills", "expected_use": "Pills"})
    send_due()

    letters = [letter for letter in mail.outbox if letter.to == [WHO]]
    assert len(letters) == 2
    assert not [letter for letter in letters if "pills" in f"{letter.subject}{letter.body}".lower()]


def test_operators_and_their_common_address_are_told_once(settings: object) -> None:
    settings.SUPPORT_EMAIL = "desk@example.com"  # type: ignore[attr-defined]
    operator = make_operator()
    account = make_account()
    author = account.members.get()
    make_request(account=account, author=author, topic="limits", text="Why <429> & not 200?")

    assert (send_due(), send_due()) == (2, 0)

    [told] = [letter for letter in mail.outbox if letter.to != [WHO]]
    assert set(told.to) == {operator.email, "desk@example.com"}
    assert "Limits" in told.subject
    assert "Why <429> & not 200?" in told.body
    assert account.name in told.body


def test_who_asks_about_enterprise_says_for_whom(visitor: Client) -> None:
    visitor.post("/sales", SOLD)

    asked = SupportRequest.objects.get()
    assert (asked.kind, asked.name, asked.company) == ("sales", "Ada", "Analytical")
    assert asked.about == "Enterprise"


def test_the_account_of_a_member_is_known_and_the_page_of_a_request_fills_the_form(
    scene: Scene,
) -> None:
    request_id = scene.call()
    link = f"/contact?request_id={request_id}"

    assert f'href="{link}"' in scene.owner.get(f"/logs/{request_id}").content.decode()
    form = scene.owner.get(link).context["form"]
    answer = scene.owner.post("/contact", {**ASKED, **form.initial, "topic": "other"})

    asked = SupportRequest.objects.get()
    assert answer["Location"] == f"/help/requests/{asked.number}"
    assert (asked.account, asked.request_id) == (scene.key.account, request_id)
    assert asked.author
    assert asked.email == asked.author.email


def test_what_is_no_request_id_does_not_fill_the_form(visitor: Client) -> None:
    for odd in ("req_1", '"><script>', "r" * 500):
        form = visitor.get("/contact", {"request_id": odd}).context["form"]
        assert form.initial["request_id"] == ""


@pytest.mark.parametrize(
    ("address", "said", "complaint"),
    [
        ("/contact", {"topic": ""}, "Choose what is nearest."),
        ("/contact", {"topic": "nothing"}, "Select a valid choice."),
        ("/contact", {"text": " "}, "Say what happens."),
        ("/contact", {"text": "x" * 5001}, "That is too long: 5001 of 5,000 characters."),
        ("/contact", {"email": "nobody"}, "That is not an e-mail address."),
        ("/contact", {"email": "a@b.example\r\nBcc: c@b.example"}, "That is not an e-mail address"),
        ("/contact", {"email": ""}, "Write the address to answer to."),
        ("/contact", {"request_id": "req_1"}, "That is no request id"),
        ("/contact", {"homepage": "https://pills.example"}, "Only robots fill this in."),
        ("/sales", {"name": ""}, "Write how to call you."),
        ("/sales", {"company": "x" * 101}, "at most 100 characters"),
        ("/sales", {"expected_use": ""}, "Write what you know"),
        ("/sales", {"text": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_kept(
    visitor: Client, address: str, said: dict[str, str], complaint: str
) -> None:
    answer = visitor.post(address, {**(ASKED if address == "/contact" else SOLD), **said})

    assert answer.status_code == 422
    assert complaint in text_of(answer)
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not SupportRequest.objects.exists()


def test_names_are_one_line_whatever_was_sent(visitor: Client) -> None:
    visitor.post("/sales", {**SOLD, "company": "A\r\nBcc: c@example.com"})

    assert SupportRequest.objects.get().company == "A Bcc: c@example.com"


def test_a_form_sent_again_asks_nothing_more(visitor: Client) -> None:
    form = visitor.get("/contact").context["form"].initial
    sent = [visitor.post("/contact", {**ASKED, "mark": form["mark"]}) for _ in range(2)]
    other = visitor.get("/contact").context["form"].initial

    assert [answer.status_code for answer in sent] == [302, 302]
    assert SupportRequest.objects.count() == SupportMessage.objects.count() == 1
    assert SupportLetter.objects.count() == 2
    assert other["mark"] != form["mark"]


def test_a_key_in_what_is_written_is_not_kept(visitor: Client) -> None:
    key = make_key()
    visitor.post("/contact", {**ASKED, "text": f"With {key.plaintext} it fails."})

    [message] = SupportMessage.objects.all()
    assert key.plaintext not in message.text
    assert message.text.endswith("… it fails.")


def test_who_writes_too_often_keeps_what_they_wrote(visitor: Client) -> None:
    answers = [visitor.post("/contact", {**ASKED, "text": f"Again {n}"}) for n in range(6)]

    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert "Wait an hour" in text_of(answers[-1])
    assert "Again 5" in text_of(answers[-1])
    assert SupportRequest.objects.count() == 5


def test_a_stranger_who_writes_in_their_name_does_not_keep_a_member_from_asking(
    visitor: Client, scene: Scene
) -> None:
    email = scene.key.account.members.get(memberships__role="owner").email
    for n in range(5):
        visitor.post("/contact", {**ASKED, "email": email, "text": str(n)})

    assert scene.owner.post("/contact", {**ASKED, "email": email}).status_code == 302


def test_help_says_whether_something_is_broken(visitor: Client) -> None:
    cache.clear()
    fine = text_of(visitor.get("/help"))
    Incident.objects.create(title="Calls fail", impact="major")
    cache.clear()
    broken = text_of(visitor.get("/help"))

    assert "Something is wrong right now." not in fine
    assert "Something is wrong right now." in broken
    assert "Calls fail" in broken
