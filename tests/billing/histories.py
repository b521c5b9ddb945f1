"""A life of an account at Stripe, step by step, and its events brought to us in any order."""

import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import stripe

from billing import adoption, endings, readings
from billing.checkout import NotPossible
from billing.contracts import item_of
from billing.models import Customer, Invoice, Plan, StripeEvent
from billing.stripe_api import asking
from billing.stripe_events import hear
from tests.billing.in_process import InProcessServer
from tests.billing.paying import PLANS, Paying, look_into_everything
from tests.billing.stripe_server import GOOD, REFUSED
from tests.people import make_account
from tests.webhooks.receivers import Received

HOUR = 3600
TIMES = (1, 1, 1, 1, 2, 3, 5)  # that an event comes
OVER = ("canceled", "incomplete_expired")


@dataclass
class Mail:
    """How events come: each ``times``, some ``late``, in an order that ``seed`` shuffles.

    In order, once and at once where there is no seed.
    """

    paying: Paying
    seed: int | None = None
    late: list[Received] = field(default_factory=list)
    all: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def bring(self) -> None:
        """What has happened since the last time."""
        new = self.paying.new()
        self.all += new
        if self.seed is None:
            for one in new:
                self.deliver(one)
            look_into_everything()
            endings.end_what_is_over()
            return
        self.late += [one for one in new for _ in range(self.chance.choice(TIMES))]
        self.chance.shuffle(self.late)
        now = self.chance.randint(0, len(self.late))
        for one in self.late[:now]:
            self.deliver(one)
        del self.late[:now]

    def finish(self) -> None:
        """All that is late, and some that came long ago."""
        self.bring()
        for one in self.late:
            self.deliver(one)
        for one in self.chance.sample(self.all, min(3, len(self.all))):
            self.deliver(one)
        look_into_everything()
        endings.end_what_is_over()

    def deliver(self, one: Received) -> None:
        """Most find the workers busy; a later one brings them along."""
        hear(one.body, one.headers["stripe-signature"])
        kind = self.chance.random() if self.seed is not None else 1.0
        if kind < 0.05:
            self.overtaken()
        if kind < 0.2:
            look_into_everything()

    def overtaken(self) -> None:
        """A worker that has read, and is overtaken by another before it can write."""
        customer = Customer.objects.filter(account=self.paying.account).first()
        if customer:
            with asking() as client:
                early = readings.read(customer, client)
            adoption.adopt(Customer.objects.get(pk=customer.pk))
            assert not adoption.take_over(customer, early)


class Life:
    """Steps that may be refused, as they may in life; what they do is decided by Stripe alone."""

    def __init__(self, server: InProcessServer, seed: int | None) -> None:
        server.begin()
        trial = Plan.objects.get(slug="free-trial")
        self.paying = Paying(server, make_account(plan=trial))
        self.mail = Mail(self.paying, seed)

    def live(self, history: list[tuple[str, Any]]) -> "Life":
        for verb, about in history:
            with suppress(NotPossible, stripe.CardError, stripe.InvalidRequestError):
                getattr(self, verb)(about)
            self.mail.bring()
        self.mail.finish()
        return self

    def subscribe(self, about: tuple[str, bool]) -> None:
        slug, pays = about
        self.paying.pay(self.paying.begin(slug), GOOD if pays else REFUSED)

    def advance(self, hours: int) -> None:
        self.paying.server.advance(seconds=hours * HOUR)

    def card(self, outcome: str) -> None:
        customer = Customer.objects.filter(account=self.paying.account).first()
        if customer:
            self.paying.card(outcome)

    def change(self, slug: str) -> None:
        """As at the portal, or by an operator at Stripe."""
        running = self._running()
        if running:
            price = self.paying.price(slug).stripe_id
            asked = {"items": [{"id": item_of(running).id, "price": price}]}
            asked |= {"proration_behavior": "always_invoice"}
            self.paying.api.subscriptions.update(running.id, asked)

    def cancel(self, how: str) -> None:
        running = self._running()
        if running and how == "now":
            self.paying.api.subscriptions.cancel(running.id)
        elif running:
            wanted = {"cancel_at_period_end": how == "later"}
            self.paying.api.subscriptions.update(running.id, wanted)

    def settle(self, _: None) -> None:
        """Pay what is open."""
        for invoice in self._list("invoices"):
            if invoice.status == "open":
                self.paying.api.invoices.pay(invoice.id)

    def refund(self, part: int) -> None:
        for charge in self._paid_charges()[:1]:
            self.paying.api.refunds.create({"charge": charge.id, "amount": charge.amount // part})

    def dispute(self, won: bool | None) -> None:
        """Of one that is lost we hear at once: what we do then would be another history later."""
        for charge in self._paid_charges()[:1]:
            if not charge.disputed:
                dispute = self.paying.server.control("dispute", charge=charge.id)
                if won is not None:
                    self.paying.server.control("dispute/close", dispute=dispute["id"], won=won)
                if won is False:
                    adoption.adopt(self.paying.customer)

    def _paid_charges(self) -> list[Any]:
        return [one for one in self._list("charges") if one.paid]

    def _running(self) -> Any:
        running = [one for one in self._list("subscriptions") if one.status not in OVER]
        return running[0] if running else None

    def _list(self, kind: str) -> list[Any]:
        customer = Customer.objects.filter(account=self.paying.account).first()
        if customer is None:
            return []
        asked = {"customer": customer.stripe_id, "limit": 100}
        asked |= {"status": "all"} if kind == "subscriptions" else {}
        return list(getattr(self.paying.api, kind).list(asked).data)

    @property
    def ours(self) -> dict[str, Any]:
        """What we have in the end, without what is named anew in every life."""
        one = self.paying.subscription
        fields = ("status", "ended_because", "cancel_at_period_end", "past_due_at")
        fields += ("current_period_start", "current_period_end", "grace_ends_at", "started_at")
        return {
            **{name: getattr(one, name) for name in fields},
            "plan": one.plan.slug,
            "limits": one.limits,
            "next": one.next_plan and one.next_plan.slug,
            "invoices": sorted(
                (row.status, row.total, row.amount_paid, row.refunded, row.dispute, row.reason)
                for row in Invoice.objects.filter(account=self.paying.account)
            ),
            "waiting": StripeEvent.objects.filter(processed_at=None).count(),
        }

    def check_against_stripe(self) -> None:
        """What we have is what Stripe says, and each renewal was told once."""
        one, invoices = self.paying.subscription, self._list("invoices")
        theirs = sorted((row.status, row.total, row.amount_paid) for row in invoices)
        assert theirs == sorted(row[:3] for row in self.ours["invoices"])
        charges = self._paid_charges()
        copies = Invoice.objects.filter(account=self.paying.account)
        assert sum(row.refunded for row in copies) == sum(row.amount_refunded for row in charges)
        assert sum(bool(row.dispute) for row in copies) == sum(row.disputed for row in charges)
        running = self._running()
        if running is None or running.status == "incomplete":
            assert one.stripe_id is None or one.status == "canceled"
        else:
            unpaid = {"past_due", "unpaid"} & {running.status}
            assert one.stripe_id == running.id
            assert one.status in ({"past_due", "canceled"} if unpaid else {running.status})
            assert int(one.current_period_end.timestamp()) == item_of(running).current_period_end
            assert one.plan == self.paying.price(one.plan.slug).plan
            assert one.price.stripe_id == item_of(running).price.id
        renewed = Invoice.objects.filter(
            account=self.paying.account, status="paid", reason="subscription_cycle"
        )
        assert not renewed.filter(renewal_told_at=None).exists()
        assert self.paying.told("subscription.renewed") >= renewed.count()


__all__ = ["PLANS", "Life", "Mail"]
