"""An account that pays at the simulated Stripe, whose events reach us as a real one's would."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from django.test import Client

from accounts.audit import Actor
from accounts.models import Account, Notice
from billing import checkout, hearing, price_sync
from billing.models import Customer, Invoice, Plan, Price, StripeEvent, Subscription
from billing.stripe_access import StripeAccess
from tests.billing.in_process import InProcessServer
from tests.billing.stripe_server import GOOD, KEY, SECRET, StripeServer
from tests.people import make_account
from tests.webhooks.receivers import Received
from webhooks.models import Event

BACK = "https://keyplex.example/billing"
PLANS = {"monthly": (2900, 1), "3-months": (7900, 3), "12-months": (29000, 12)}
BY = Actor("owner@example.com", 1)
DAY = 24 * 3600


def make_plans() -> None:
    """A free trial of 14 days, and three plans that cost something."""
    Plan.objects.create(slug="free-trial", name="Free Trial", trial=True, trial_days=14)
    for position, (slug, (amount, months)) in enumerate(PLANS.items(), start=1):
        Plan.objects.update_or_create(
            slug=slug,
            defaults={
                "name": slug.title(),
                "position": position,
                "unit_amount": amount,
                "interval_months": months,
                "limits": {"requests_per_minute": 10 * position},
            },
        )


@dataclass
class Paying:
    """``account`` and what it does; ``hear`` brings what Stripe has told since."""

    server: StripeServer | InProcessServer
    account: Account = field(default_factory=make_account)
    heard: int = 0

    @property
    def api(self) -> Any:
        return self.server.client.v1

    @property
    def subscription(self) -> Subscription:
        return Subscription.objects.select_related("plan", "next_plan").get(account=self.account)

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(account=self.account)

    @property
    def state(self) -> tuple[str, str]:
        return self.subscription.plan.slug, self.subscription.status

    @property
    def theirs(self) -> stripe.Subscription:
        found: stripe.Subscription = self.api.subscriptions.retrieve(self.subscription.stripe_id)
        return found

    def told(self, event_type: str) -> int:
        """How often the account's webhooks would have heard of this."""
        return Event.objects.filter(account_id=self.account.pk, type=event_type).count()

    def letters(self) -> list[str]:
        notices = Notice.objects.filter(account=self.account)
        return [notice.subject for notice in notices]

    def invoices(self) -> list[Invoice]:
        return list(Invoice.objects.filter(account=self.account))

    def begin(self, plan: str = "monthly") -> str:
        """The address of a page to pay on."""
        return checkout.begin(self.account, Plan.objects.get(slug=plan), back=BACK, by=BY)

    def pay(self, url: str, number: str = GOOD) -> int:
        return self.server.visit(url, action="pay", number=number).status_code

    def subscribe(self, plan: str = "monthly", number: str = GOOD) -> None:
        assert self.pay(self.begin(plan), number) == 303
        self.hear()

    def new(self) -> list[Received]:
        """Everything that Stripe has posted since."""
        self.server.settle()
        new = self.server.receiver.received[self.heard :]
        self.heard += len(new)
        return new

    def hear(self) -> list[int]:
        """Bring it here as it was posted, and look into it."""
        statuses = [post(one.body, one.headers["stripe-signature"]) for one in self.new()]
        look_into_everything()
        return statuses

    def advance(self, **by: int) -> None:
        self.server.advance(**by)
        self.hear()

    def card(self, outcome: str) -> None:
        """What becomes of every further charge."""
        self.server.control("card", customer=self.customer.stripe_id, outcome=outcome)

    def price(self, plan: str) -> Price:
        return Price.objects.ours().get(plan__slug=plan, retired_at=None)


def post(body: bytes, signature: str) -> int:
    return (
        Client()
        .post(
            "/stripe/events",
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
        .status_code
    )


def look_into_everything() -> None:
    for pk in StripeEvent.objects.filter(processed_at=None).values_list("pk", flat=True):
        hearing.look_into(pk)


def at(server: StripeServer, settings: Any) -> None:
    """Have this process speak with ``server``, which knows our prices."""
    settings.STRIPE = StripeAccess("simulated", KEY, SECRET, server.url)
    make_plans()
    price_sync.sync()


def simulated_day(server: StripeServer, days: int = 0) -> datetime:
    return datetime.fromtimestamp(server.now, UTC) + timedelta(days=days)
