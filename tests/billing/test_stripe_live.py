"""The same life of a contract at the simulated Stripe and, with a key of its test mode, at Stripe.

Nobody can pay on a page of Stripe without a browser: there the subscription is made through the
API, on a test clock, and its checkout is set down as paid.
"""

import os
import time
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
import stripe
from django.utils import timezone

from accounts.models import Account
from billing import adoption, checkout, plan_changes, price_sync
from billing.models import Checkout, Credit, Customer, Plan, Price, Subscription
from billing.stripe_access import StripeAccess
from tests.billing.crediting import OPERATOR, SAID, settled
from tests.billing.paying import BACK, BY, Paying, make_plans
from tests.people import make_account

KEY = os.environ.get("STRIPE_TEST_KEY", "")
PATIENCE = 180  # seconds for a test clock of Stripe


class Stage(Protocol):
    """Where the scene is played."""

    account: Account

    def subscribe(self) -> None: ...

    def next_month(self) -> None: ...


@dataclass
class Simulated:
    paying: Paying

    @property
    def account(self) -> Account:
        return self.paying.account

    def subscribe(self) -> None:
        self.paying.subscribe("monthly")

    def next_month(self) -> None:
        self.paying.server.advance(days=32)


@dataclass
class Live:
    client: Any
    account: Account
    clock: str = ""

    def subscribe(self) -> None:
        now = int(time.time())
        self.clock = self.client.test_helpers.test_clocks.create({"frozen_time": now}).id
        made = self.client.customers.create(
            {
                "email": "test@keyplex.example",
                "test_clock": self.clock,
                "payment_method": "pm_card_visa",
                "invoice_settings": {"default_payment_method": "pm_card_visa"},
            }
        )
        price = Price.objects.ours().get(plan__slug="monthly", retired_at=None)
        subscription = self.client.subscriptions.create(
            {"customer": made.id, "items": [{"price": price.stripe_id}]}
        )
        customer = Customer.objects.create(account=self.account, mode="test", stripe_id=made.id)
        Checkout.objects.create(
            customer=customer,
            price=price,
            state=Checkout.State.PAID,
            subscription=subscription.id,
            finished_at=timezone.now(),
        )
        adoption.adopt(customer)

    def next_month(self) -> None:
        clocks = self.client.test_helpers.test_clocks
        frozen = clocks.retrieve(self.clock).frozen_time
        clocks.advance(self.clock, {"frozen_time": frozen + 32 * 24 * 3600})
        end = time.monotonic() + PATIENCE
        while clocks.retrieve(self.clock).status != "ready":
            assert time.monotonic() < end
            time.sleep(2)

    def tidy(self) -> None:
        if self.clock:
            self.client.test_helpers.test_clocks.delete(self.clock)


def test_the_life_of_a_contract_at_the_simulated_stripe(paying: Paying) -> None:
    play(Simulated(paying))


@pytest.mark.stripe_live
@pytest.mark.skipif(not KEY, reason="STRIPE_TEST_KEY is not set")
def test_the_life_of_a_contract_at_stripe(db: None, settings: Any) -> None:
    settings.STRIPE = StripeAccess("test", KEY, "")
    make_plans()
    price_sync.sync()
    live = Live(stripe.StripeClient(KEY).v1, make_account(plan=Plan.objects.get(slug="free-trial")))
    try:
        play(live)
    finally:
        live.tidy()


def play(stage: Stage) -> None:
    """Each line is a promise of docs/billing.md."""
    account, yearly = stage.account, Plan.objects.get(slug="12-months")
    assert price_sync.sync() == []
    stage.subscribe()
    assert standing(account) == ("monthly", "active", False, None)
    assert checkout.portal(account, back=BACK).startswith("http")

    plan_changes.cancel(account, by=BY)
    assert standing(account) == ("monthly", "active", True, None)
    plan_changes.resume(account, by=BY)
    assert standing(account) == ("monthly", "active", False, None)

    credit = Credit.objects.give(account, by=OPERATOR, **SAID)
    assert settled(credit).state == "given"
    assert Customer.objects.get(account=account).credit == credit.amount

    shown = plan_changes.preview(account, yearly)
    assert shown.from_balance == credit.amount
    plan_changes.upgrade(account, yearly, shown=(shown.due, shown.proration_date), by=BY)
    newest = account.invoices.latest("created_at", "pk")
    assert (newest.amount_paid, newest.status) == (shown.due, "paid")
    assert standing(account) == ("12-months", "active", False, None)

    plan_changes.downgrade(account, Plan.objects.get(slug="monthly"), by=BY)
    assert standing(account) == ("12-months", "active", False, "monthly")
    plan_changes.keep(account, by=BY)
    assert standing(account) == ("12-months", "active", False, None)

    end = Subscription.objects.get(account=account).current_period_end
    stage.next_month()
    adoption.adopt(Customer.objects.get(account=account))
    assert standing(account) == ("12-months", "active", False, None)
    assert Subscription.objects.get(account=account).current_period_end == end


def standing(account: Account) -> tuple[str, str, bool, str | None]:
    one = Subscription.objects.select_related("plan", "next_plan").get(account=account)
    following = one.next_plan.slug if one.next_plan else None
    return one.plan.slug, one.status, one.cancel_at_period_end, following
