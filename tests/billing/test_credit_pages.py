"""The pages at ``/ops/`` on which money is credited and taken back, and who gets them."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.audit import Action, AuditEntry
from accounts.models import Account
from billing.models import Credit, Customer
from billing.stripe_access import StripeAccess
from tests.billing.crediting import SAID
from tests.billing.paying import make_plans
from tests.billing.test_by_hand_pages import staff
from tests.dashboard.conftest import browser_of, text_of
from tests.operators import as_operator
from tests.people import make_account

pytestmark = pytest.mark.django_db
FORM = {"amount": "10.00", "currency": "usd", "words": SAID["words"], "reason": "Ticket 4711"}


@pytest.fixture(autouse=True)
def _stripe(settings: Any) -> None:
    """One that is away: none of this waits for it."""
    settings.STRIPE = StripeAccess("simulated", "sk_test_x", "", "http://127.0.0.1:9")


@pytest.fixture
def account() -> Account:
    make_plans()
    return make_account()


@pytest.fixture
def operator() -> Client:
    return as_operator(Client())


def form_of(account: Account) -> str:
    return f"/ops/billing/subscription/{account.subscription.pk}/credit/"


def page_of(credit: Credit, act: str = "change") -> str:
    return f"/ops/billing/credit/{credit.pk}/{act}/"


def said(answer: HttpResponse) -> str:
    return unescape(text_of(answer))


def held(account: Account, balance: int = -1000, **fields: Any) -> Credit:
    """One that Stripe has."""
    mode = settings.STRIPE.mode
    customer = Customer.objects.create(
        account=account, mode=mode, stripe_id="cus_1", balance=balance, currency="usd"
    )
    given = {"customer": customer, "given_at": timezone.now(), "next_attempt_at": None}
    return Credit.objects.create(account=account, mode=mode, **SAID | given | fields)


def test_an_operator_gives_a_credit_once_however_often_the_form_is_sent(
    account: Account, operator: Client
) -> None:
    asked = operator.get(form_of(account)).content.decode()
    [token] = re.findall(r'name="token" value="([0-9a-f-]{36})"', asked)

    answers = [operator.post(form_of(account), FORM | {"token": token}, follow=True) for _ in "ab"]

    credit = Credit.objects.get()
    [entry] = AuditEntry.objects.filter(account=account, action=Action.CREDIT_GIVEN)
    assert (credit.account, credit.amount, credit.currency) == (account, 1000, "usd")
    assert (credit.words, credit.reason) == (FORM["words"], FORM["reason"])
    assert credit.created_by == entry.actor == "operator operator@example.com"
    assert all("$10.00" in said(answer) for answer in answers)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"amount": ""}, "Enter an amount."),
        ({"amount": "ten"}, "Write it as 10 or 10.00."),
        ({"amount": "1.005"}, "USD has 2 digits at most after the point."),
        ({"amount": "0"}, "Enter more than nothing."),
        ({"amount": "-5"}, "Enter more than nothing."),
        ({"amount": "1000000"}, "eight digits at most"),
        ({"currency": "xyz"}, "xyz is not one of the available choices"),
        ({"words": " "}, "Say what it is for."),
        ({"reason": ""}, "Say why."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    wrong: dict[str, str], words: str, account: Account, operator: Client
) -> None:
    answer = operator.post(form_of(account), FORM | wrong)

    assert answer.status_code == 422
    assert words in said(answer)
    assert not Credit.objects.exists()


def test_without_stripe_the_page_says_what_to_do_instead(
    account: Account, operator: Client, settings: Any
) -> None:
    settings.STRIPE = StripeAccess()

    seen, sent = operator.get(form_of(account)), operator.post(form_of(account), FORM)

    assert "extend the plan instead" in said(seen)
    assert "<form" not in seen.content.decode().partition("<main")[2].partition("</main")[0]
    assert sent.status_code == 422
    assert not Credit.objects.exists()


def test_a_credit_is_taken_back_while_it_is_not_used(account: Account, operator: Client) -> None:
    credit = held(account)

    looked = operator.get(page_of(credit, "take-back"))
    done = operator.post(page_of(credit, "take-back"), follow=True)
    again = operator.get(page_of(credit, "take-back"))

    assert "$10.00" in said(looked)
    assert "being taken back" in said(done)
    assert "It was taken back before." in said(again)
    assert AuditEntry.objects.filter(action=Action.CREDIT_TAKEN_BACK).count() == 1


def test_of_a_used_one_it_is_said_why_not(account: Account, operator: Client) -> None:
    credit = held(account, balance=-400)

    answers = [
        operator.get(page_of(credit, "take-back")),
        operator.post(page_of(credit, "take-back")),
    ]

    for answer in answers:
        assert "Only $4.00 is left" in said(answer)
    assert Credit.objects.get().revoked_at is None


def test_what_stripe_refused_is_shown_and_asked_for_again(
    account: Account, operator: Client
) -> None:
    refused: Any = {"given_at": None, "customer": None, "failed_because": "No such customer."}
    credit = held(account, **refused)

    listed = operator.get("/ops/billing/credit/", {"state": "refused"})
    others = operator.get("/ops/billing/credit/", {"state": "given"})
    asked = operator.post(page_of(credit, "ask-again"), follow=True)

    assert "No such customer." in said(listed)
    assert "No such customer." not in said(others)
    assert "on its way to Stripe" in said(asked)
    assert "Stripe has not refused it." in said(operator.get(page_of(credit, "ask-again")))


@pytest.mark.parametrize("act", ["credit", "take-back", "ask-again"])
def test_nobody_else_can(act: str, account: Account) -> None:
    credit = held(account)
    page = form_of(account) if act == "credit" else page_of(credit, act)
    owner, stranger = account.members.get(), make_account().members.get()
    rights = {"view_credit", "change_subscription", "add_credit", "change_credit"}
    rights -= {"add_credit" if act == "credit" else "change_credit"}
    before = [list(Credit.objects.values()), AuditEntry.objects.count()]
    browsers = [Client(), browser_of(owner), browser_of(stranger), staff(*rights)]

    statuses = [[one.get(page).status_code, one.post(page, FORM).status_code] for one in browsers]

    assert statuses == [[302, 302], *[[403, 403]] * 3]
    assert [list(Credit.objects.values()), AuditEntry.objects.count()] == before
