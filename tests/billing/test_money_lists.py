"""What operators see of money at ``/ops/``: found by name, filtered, never edited."""

from datetime import timedelta
from html import unescape

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Account, User
from billing.models import Checkout, Credit, Customer, Drift, Invoice, Override, Price, StripeEvent
from tests.dashboard.conftest import browser_of, text_of
from tests.people import make_account, make_plan

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LISTS = [
    "plan",
    "price",
    "customer",
    "checkout",
    "invoice",
    "stripeevent",
    "drift",
    "override",
    "credit",
]


@pytest.fixture
def operator() -> Client:
    return browser_of(User.objects.create_superuser("operator@example.com", "correct horse"))


def known_as(account: Account, number: int) -> None:
    """Of everything one row that concerns ``account``, told apart by ``number``."""
    mode = settings.STRIPE.mode
    price = Price.objects.create(
        plan=make_plan(f"plan-{number}"),
        mode=mode,
        stripe_id=f"price_{number}",
        unit_amount=2900,
        currency="usd",
        interval_months=1,
    )
    customer = Customer.objects.create(account=account, mode=mode, stripe_id=f"cus_{number}")
    Checkout.objects.create(customer=customer, price=price, stripe_id=f"cs_{number}")
    invoice(account, number)
    Drift.objects.create(account=account, stripe_id=f"sub_{number}", what="status")
    Credit.objects.create(
        account=account, mode=mode, amount=1000 * number, currency="usd", words="w", reason="r"
    )
    event(number)


def invoice(account: Account, number: int, **fields: object) -> Invoice:
    amounts = dict.fromkeys(("total", "amount_due", "amount_paid"), 2900)
    named = {"stripe_id": f"in_{number}", "number": f"KPX-{number}"}
    known = {"account": account, "status": "paid", "reason": "manual", "currency": "usd"}
    when = {"period_start": NOW, "period_end": NOW + timedelta(days=30), "created_at": NOW}
    return Invoice.objects.create(**named | amounts | known | when | fields)


def event(number: int, **fields: object) -> StripeEvent:
    return StripeEvent.objects.create(
        stripe_id=f"evt_{number}",
        type="invoice.paid",
        customer=f"cus_{number}",
        mode=settings.STRIPE.mode,
        happened_at=NOW,
        about={"object": "invoice", "customer": f"cus_{number}"},
        **fields,
    )


def listed(operator: Client, model: str, **asked: str) -> str:
    answer = operator.get(f"/ops/billing/{model}/", asked)
    assert answer.status_code == 200
    return unescape(text_of(answer))


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("price", "price_1"),
        ("customer", "cus_1"),
        ("checkout", "Plan-1: $29.00"),
        ("invoice", "KPX-1"),
        ("stripeevent", "evt_1"),
        ("drift", "sub_1"),
        ("credit", "$10.00"),
    ],
)
def test_what_is_asked_for_is_found_alone(model: str, shown: str, operator: Client) -> None:
    for number in (1, 2):
        known_as(make_account(), number)
    account = Customer.objects.get(stripe_id="cus_1").account
    Account.objects.filter(pk=account.pk).update(name="Sought after")
    asked = "evt_1" if model == "stripeevent" else "price_1" if model == "price" else "Sought"

    everything = listed(operator, model)
    found = listed(operator, model, q=asked)

    other = shown.replace("1", "2", 1)
    assert shown in everything
    assert other in everything
    assert shown in found
    assert other not in found.split("Filter")[0]


def test_a_plan_is_shown_with_its_price(operator: Client) -> None:
    plan = make_plan("monthly")
    plan.unit_amount = 2900
    plan.save()

    assert "$29.00" in listed(operator, "plan")


def test_invoices_are_told_apart_by_what_became_of_them(operator: Client) -> None:
    account = make_account()
    invoice(account, 1)
    invoice(account, 2, status="open", amount_paid=0)
    invoice(account, 3, refunded=2900)
    invoice(account, 4, dispute="needs_response")

    page, unpaid = listed(operator, "invoice"), listed(operator, "invoice", status__exact="open")

    for word in ("unpaid", "refunded", "disputed", "$29.00"):
        assert word in page
    assert "KPX-2" in unpaid
    assert "KPX-1" not in unpaid


def test_an_event_that_failed_is_looked_at_again_if_that_is_asked(operator: Client) -> None:
    later = timezone.now() + timedelta(hours=1)
    known = {
        1: event(1, processed_at=NOW, next_attempt_at=NOW),
        2: event(2, failures=9, error="Stripe was away", next_attempt_at=later),
        3: event(3, processed_at=NOW, next_attempt_at=NOW),
    }

    waiting = listed(operator, "stripeevent", state="open")
    chosen = [known[number].pk for number in (1, 2)]
    operator.post("/ops/billing/stripeevent/", {"action": "look_again", "_selected_action": chosen})

    assert "evt_2" in waiting
    assert "Stripe was away" in waiting
    assert "evt_1" not in waiting
    assert set(StripeEvent.objects.due()) == {known[1], known[2]}


def test_a_drift_is_open_until_somebody_has_seen_to_it(operator: Client) -> None:
    account = make_account()
    drifts = [
        Drift.objects.create(account=account, stripe_id=f"sub_{number}", what="status")
        for number in (1, 2)
    ]

    chosen = {"action": "see_to", "_selected_action": [drifts[0].pk]}
    operator.post("/ops/billing/drift/", chosen)

    assert list(Drift.objects.filter(mended_at=None)) == [drifts[1]]
    opened, seen_to = (listed(operator, "drift", state=state) for state in ("open", "settled"))
    assert ("sub_1" in opened, "sub_2" in opened) == (False, True)
    assert ("sub_1" in seen_to, "sub_2" in seen_to) == (True, False)


@pytest.mark.parametrize("model", LISTS)
def test_no_row_is_added_edited_or_removed_by_hand(model: str, operator: Client) -> None:
    account = make_account()
    known_as(account, 1)
    Override.objects.create(
        subscription=account.subscription,
        limits={"requests_per_day": 1},
        reason="a launch",
        created_by="operator",
    )
    rows = apps.get_model("billing", model)._default_manager.order_by("pk")
    pk, before = rows.latest("pk").pk, list(rows.values())
    form = {"stripe_id": "x", "reason": "x", "name": "x", "status": "x", "post": "yes"}

    statuses = [
        operator.post(f"/ops/billing/{model}/{address}", form).status_code
        for address in ("add/", f"{pk}/delete/", f"{pk}/change/")
    ]

    assert statuses == [403, 403, 405]
    assert list(rows.all().values()) == before


@pytest.mark.parametrize("model", LISTS)
def test_members_see_none_of_it(model: str) -> None:
    owner = browser_of(make_account().members.get())

    assert owner.get(f"/ops/billing/{model}/").status_code == 403
