"""Operators find what is asked, answer it and close it, on record; nobody else comes in."""

import pytest
from django.core import mail
from django.test import Client

from accounts.audit import SYSTEM, AuditEntry
from dashboard.models import SupportRequest
from dashboard.support.letters import send_due
from tests.dashboard.conftest import browser_of, text_of
from tests.operators import EMAIL, as_operator
from tests.people import make_account, make_user
from tests.support.conftest import WHO, make_request

INBOX = "/ops/dashboard/supportrequest/"
ID = "req_0" + "1f" * 13 + "a"


@pytest.fixture
def operator() -> Client:
    return as_operator(Client())


def act(operator: Client, asked: SupportRequest, name: str, **said: str) -> str:
    return text_of(operator.post(f"{INBOX}{asked.pk}/{name}/", said, follow=True))


def test_an_answer_is_mailed_on_record_and_on_the_page(operator: Client) -> None:
    account = make_account(make_user())
    asked = make_request(account=account, author=account.members.get())

    done = act(operator, asked, "answer", text="Look <here>.", closes="on")

    assert f"{asked.number} is answered and closed." in done
    assert "Look &lt;here&gt;." in done
    assert EMAIL in done
    entries = AuditEntry.objects.filter(account=account, action__startswith="support.")
    acts = [(entry.action, entry.actor, entry.about) for entry in entries.order_by("number")]
    by = f"operator {EMAIL}"
    assert acts == [("support.answered", by, asked.number), ("support.closed", by, asked.number)]
    send_due()
    assert [WHO] in [letter.to for letter in mail.outbox if "our answer" in letter.subject]


def test_the_same_answer_is_not_sent_twice(operator: Client) -> None:
    asked = make_request()

    act(operator, asked, "answer", text="Look.")
    again = act(operator, asked, "answer", text="Look.")

    assert "That is what was said last." in again
    assert asked.messages.count() == 2
    assert "Write something first." in act(operator, asked, "answer", text=" ")


def test_the_form_to_answer_stands_below_what_is_asked(operator: Client) -> None:
    asked = make_request(text="Why is it so?")
    page = operator.get(f"{INBOX}{asked.pk}/change/")

    assert "Why is it so?" in text_of(page)
    assert 'action="../answer/"' in page.content.decode()
    assert "Company" not in text_of(page)
    sold = make_request(kind="sales", company="Analytical")
    assert "Company Analytical" in text_of(operator.get(f"{INBOX}{sold.pk}/change/"))


def test_it_is_closed_and_opened_again(operator: Client) -> None:
    asked = make_request()

    assert f"{asked.number} is closed." in act(operator, asked, "close")
    assert "It is closed." in text_of(operator.get(f"{INBOX}{asked.pk}/close/"))
    assert f"{asked.number} is open again." in act(operator, asked, "reopen")

    asked.refresh_from_db()
    assert asked.state == "open"


@pytest.mark.parametrize("by", ["number", "digits", "address", "request", "account", "state"])
def test_what_is_asked_is_found(operator: Client, by: str) -> None:
    account = make_account(make_user("analytical"))
    asked = make_request(account=account, email="ada@example.org", request_id=ID)
    other = make_request()
    other.close(by=SYSTEM)
    query = {
        "number": {"q": asked.number.lower()},
        "digits": {"q": asked.number[3:]},
        "address": {"q": "ada@example.org"},
        "request": {"q": ID},
        "account": {"q": "analytical"},
        "state": {"state__exact": "open"},
    }[by]

    page = text_of(operator.get(INBOX, query))

    assert asked.number in page
    assert other.number not in page


def test_the_search_of_the_room_knows_the_number_and_the_inbox_the_request(
    operator: Client,
) -> None:
    asked = make_request(request_id=ID)

    found = operator.get("/ops/search", {"q": asked.number})

    page = f"{INBOX}{asked.pk}/change/"
    assert found["Location"] == page
    assert f'href="/ops/requests/{ID}"' in operator.get(page).content.decode()


def test_who_is_no_operator_reads_and_answers_nothing(visitor: Client) -> None:
    asked = make_request()
    member = browser_of(make_account().members.get())

    for browser in (visitor, member):
        for path in (INBOX, f"{INBOX}{asked.pk}/change/", f"{INBOX}{asked.pk}/answer/"):
            assert browser.get(path).status_code in {302, 403}
        browser.post(f"{INBOX}{asked.pk}/answer/", {"text": "I am support."})
    assert asked.messages.count() == 1
