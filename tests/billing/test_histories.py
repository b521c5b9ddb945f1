"""Whatever happens to a subscription in whatever order, the money adds up and the events agree."""

from typing import Any

import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.simulated.events import public
from tests.billing.in_process import Bench
from tests.billing.shop import AMOUNTS
from tests.billing.stripe_server import GOOD

DAY = 24 * 3600
STEPS = st.one_of(
    st.tuples(st.just("advance"), st.integers(1, 40 * DAY)),
    st.tuples(st.just("card"), st.sampled_from(["accepted", "card_declined"])),
    st.tuples(st.just("change"), st.sampled_from(sorted(AMOUNTS))),
    st.tuples(st.just("quietly"), st.sampled_from(sorted(AMOUNTS))),
    st.tuples(st.just("cancel"), st.booleans()),
    st.tuples(st.just("pay"), st.none()),
    st.tuples(st.just("credit"), st.integers(1, 9000)),
    st.tuples(st.just("void"), st.none()),
)
HISTORIES = st.lists(STEPS, max_size=12)


class Life:
    """One customer of a bench, and the steps of a history."""

    def __init__(self, bench: Bench, trial: int) -> None:
        self.bench, self.client = bench, bench.client.v1
        self.prices = {name: self.price(name) for name in AMOUNTS}
        self.customer = self.client.customers.create({"email": "alice@example.org"}).id
        offer: Any = {
            "mode": "subscription",
            "customer": self.customer,
            "line_items": [{"price": self.prices["monthly"], "quantity": 1}],
            "success_url": "https://keyplex.example/",
        }
        if trial:
            offer["subscription_data"] = {"trial_period_days": trial}
        session = self.client.checkout.sessions.create(offer)
        bench.visit(str(session.url), action="pay", number=GOOD)
        done = self.client.checkout.sessions.retrieve(session.id)
        self.key = str(done.subscription)

    def price(self, name: str) -> str:
        amount, months = AMOUNTS[name]
        product = self.client.products.create({"name": name})
        recurring: Any = {"interval": "month", "interval_count": months}
        return self.client.prices.create(
            {
                "product": product.id,
                "currency": "usd",
                "unit_amount": amount,
                "recurring": recurring,
            }
        ).id

    @property
    def subscription(self) -> stripe.Subscription:
        return self.client.subscriptions.retrieve(self.key)

    def step(self, verb: str, about: Any) -> None:
        """What cannot be done is refused, and that is all right."""
        try:
            getattr(self, verb)(about)
        except (stripe.CardError, stripe.InvalidRequestError):
            return

    def advance(self, seconds: int) -> None:
        self.bench.advance(seconds)

    def card(self, outcome: str) -> None:
        with self.bench.sim.store.transaction():
            self.bench.site.control.card({"customer": self.customer, "outcome": outcome})

    def change(self, plan: str) -> None:
        """At once, and to the cent what the preview said if the card pays."""
        asked: Any = self.asked(plan) | {"proration_behavior": "always_invoice"}
        before = self.subscription.latest_invoice
        preview = self.client.invoices.create_preview(
            {"subscription": self.key, "subscription_details": asked}
        )
        strictly: Any = asked | {"payment_behavior": "error_if_incomplete"}
        changed = self.client.subscriptions.update(self.key, strictly)
        if changed.latest_invoice != before:
            invoice = self.client.invoices.retrieve(str(changed.latest_invoice))
            assert (invoice.total, invoice.amount_due) == (preview.total, preview.amount_due)

    def quietly(self, plan: str) -> None:
        self.client.subscriptions.update(self.key, self.asked(plan))

    def asked(self, plan: str) -> Any:
        item = self.subscription["items"].data[0].id
        return {"items": [{"id": item, "price": self.prices[plan]}]}

    def cancel(self, wanted: bool) -> None:
        self.client.subscriptions.update(self.key, {"cancel_at_period_end": wanted})

    def pay(self, _: None) -> None:
        self.client.invoices.pay(str(self.subscription.latest_invoice))

    def credit(self, amount: int) -> None:
        """As an operator gives it."""
        given: Any = {"amount": -amount, "currency": "usd"}
        self.client.customers.balance_transactions.create(self.customer, given)

    def void(self, _: None) -> None:
        self.client.invoices.void_invoice(str(self.subscription.latest_invoice))


@given(history=HISTORIES, trial=st.sampled_from([0, 14]))
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_the_money_adds_up_in_every_history(history: list[tuple[str, Any]], trial: int) -> None:
    bench = Bench()
    life = Life(bench, trial)

    for verb, about in history:
        life.step(verb, about)

    check_money(life)
    check_events(life)
    bench.close()


def check_money(life: Life) -> None:
    """What was charged is what invoices say was paid; what was not is credit, or owed."""
    charges = list(life.client.charges.list({"limit": 100}).auto_paging_iter())
    invoices = list(life.client.invoices.list({"limit": 100}).auto_paging_iter())
    issued = [one for one in invoices if one.status not in ("draft", "void")]
    paid = sum(one.amount_paid for one in issued)
    owed = sum(one.amount_remaining for one in issued)
    balance = life.client.customers.retrieve(life.customer).balance
    given = check_ledger(life, balance or 0)
    assert sum(one.amount for one in charges if one.paid) == paid
    assert paid + owed + (balance or 0) == sum(one.total for one in issued) - given
    assert all(one.amount_due + from_balance(one) == one.total for one in issued)
    assert all(one.total == sum(line.amount for line in one.lines.data) for one in invoices)
    lines = [line.id for one in invoices for line in one.lines.data]
    assert len(lines) == len(set(lines)), "something was invoiced twice"


def from_balance(invoice: stripe.Invoice) -> int:
    return (invoice.ending_balance or 0) - invoice.starting_balance


def check_ledger(life: Life, balance: int) -> int:
    """Every entry follows from the one before it; how much was given."""
    listed = life.client.customers.balance_transactions.list(life.customer, {"limit": 100})
    ledger = list(listed.auto_paging_iter())[::-1]
    running = 0
    for entry in ledger:
        running += entry.amount
        assert entry.ending_balance == running
    assert running == balance
    return -sum(entry.amount for entry in ledger if entry.type == "adjustment")


def check_events(life: Life) -> None:
    """The last event about each object shows it as it is; a subscription's statuses follow."""
    last: dict[str, dict[str, Any]] = {}
    statuses = ["incomplete"]
    for event in life.bench.events():
        seen = event["data"]["object"]
        last[seen["id"]] = seen
        if seen["id"] == life.key:
            before = event["data"].get("previous_attributes", {})
            assert before.get("status", statuses[-1]) == statuses[-1]
            statuses.append(seen["status"])
    for key, seen in last.items():
        with life.bench.sim.store.transaction():
            assert public(life.bench.sim.store.find(key)) == seen
    assert statuses[-1] == life.subscription.status
