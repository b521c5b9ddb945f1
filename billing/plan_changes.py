"""Changing a plan that Stripe runs: a greater one at once, a smaller one when the period ends.

Whoever wants more sees first, to the cent, what is charged now; only that amount is charged. What
was used stays used: limits become greater, counters go on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import stripe

from accounts import audit
from accounts.audit import Action, Actor
from accounts.models import Account
from billing import adoption, clock, money
from billing.agreements import Status
from billing.checkout import NotPossible, price_of, refuse_if_leaving
from billing.contracts import item_of
from billing.customers import Customer
from billing.plans import Plan
from billing.prices import Price
from billing.stripe_api import StripeAway, asking, moment
from billing.subscriptions import Subscription

log = logging.getLogger(__name__)
OLDEST_PREVIEW = 3600  # seconds; an older one must be looked at again


class Declined(NotPossible):
    """The card did not pay, and nothing was changed."""


class Stale(NotPossible):
    """What would be charged is no longer what was shown."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change costs now: ``due`` is charged; the lines say how that comes."""

    price: Price
    due: int
    lines: list[tuple[str, int]]
    period_end: datetime
    proration_date: int  # Unix seconds; at that moment the shares are cut
    from_balance: int  # of what was paid before, and is used up by this

    @property
    def due_in_words(self) -> str:
        return money.written(self.due, self.price.currency)

    @property
    def lines_in_words(self) -> list[tuple[str, str]]:
        return [(text, money.written(amount, self.price.currency)) for text, amount in self.lines]


@dataclass(frozen=True, slots=True)
class Running:
    """A subscription that Stripe runs, as we and as Stripe know it."""

    ours: Subscription
    theirs: stripe.Subscription
    customer: Customer

    @property
    def going_on(self) -> Any:
        """What takes a cancellation back: the portal's is a moment, ours is the flag."""
        if self.theirs.cancel_at and not self.theirs.cancel_at_period_end:
            return {"cancel_at": ""}
        return {"cancel_at_period_end": False}

    def change(self, price: Price, proration_date: int) -> dict[str, Any]:
        """To another price now. A period of another length begins now."""
        asked: dict[str, Any] = {
            "items": [{"id": item_of(self.theirs).id, "price": price.stripe_id}],
            "proration_behavior": "always_invoice",
            "proration_date": proration_date,
        }
        if self.ours.price and price.interval_months != self.ours.price.interval_months:
            asked["billing_cycle_anchor"] = {"type": "now"}
        return asked


def preview(account: Account, plan: Plan, *, proration_date: int | None = None) -> Preview:
    """What changing to a greater plan costs now. Raises NotPossible, StripeAway."""
    with asking() as client:
        return _preview(_running(account, client), plan, proration_date, client)


def upgrade(account: Account, plan: Plan, *, shown: tuple[int, int], by: Actor) -> None:
    """Change to a greater plan at once. ``shown`` is the amount and the date of its preview.

    Raises Stale if that is not what would be charged, Declined, NotPossible, StripeAway.
    """
    due, proration_date = shown
    with asking() as client:
        refuse_if_leaving(account)
        running = _running(account, client)
        now = int(clock.now().timestamp())
        if not now - OLDEST_PREVIEW <= proration_date <= now + OLDEST_PREVIEW:
            raise Stale("This offer is too old; look at it again.")
        offer = _preview(running, plan, proration_date, client)
        if offer.due != due:
            raise Stale("What would be charged has changed; look at it again.")
        asked = running.change(offer.price, proration_date)
        asked |= {"payment_behavior": "error_if_incomplete", **running.going_on}
        key = f"upgrade-{running.theirs.id}-{offer.price.stripe_id}-{proration_date}"
        with _without_schedule(running, client), _paid():
            client.v1.subscriptions.update(running.theirs.id, asked, {"idempotency_key": key})  # type: ignore[arg-type]
        audit.record(account, Action.PLAN_UPGRADED, by=by, about=plan.name, paid=offer.due_in_words)
        _adopt(running)


def downgrade(account: Account, plan: Plan, *, by: Actor) -> None:
    """Have a smaller plan from the end of this period on. Raises NotPossible, StripeAway."""
    with asking() as client:
        running = _running(account, client)
        price = price_of(plan)
        _check_not(running, plan, smaller=True)
        if running.ours.cancel_at_period_end:
            client.v1.subscriptions.update(running.theirs.id, running.going_on)
        _schedule(running, price, client)
        audit.record(account, Action.PLAN_DOWNGRADED, by=by, about=plan.name)
        _adopt(running)


def keep(account: Account, *, by: Actor) -> None:
    """Go on with this plan after all, instead of a smaller one. Raises NotPossible, StripeAway."""
    with asking() as client:
        running = _running(account, client)
        _release_schedule(running, client)
        audit.record(account, Action.PLAN_KEPT, by=by, about=running.ours.plan.name)
        _adopt(running)


def cancel(account: Account, *, by: Actor) -> None:
    """End it when what is paid for is over. Raises NotPossible, StripeAway."""
    _end_later(account, True, Action.PLAN_CANCELED, by)


def resume(account: Account, *, by: Actor) -> None:
    """Take a cancellation back before it takes effect. Raises NotPossible, StripeAway."""
    _end_later(account, False, Action.PLAN_RESUMED, by)


def _end_later(account: Account, wanted: bool, action: Action, by: Actor) -> None:
    with asking() as client:
        running = _running(account, client)
        if wanted:
            _release_schedule(running, client)
        asked: Any = {"cancel_at_period_end": True} if wanted else running.going_on
        client.v1.subscriptions.update(running.theirs.id, asked)
        audit.record(account, action, by=by, about=running.ours.plan.name)
        _adopt(running)


def _adopt(running: Running) -> None:
    """What was done is done; should it not be seen now, Stripe's event brings it."""
    try:
        adoption.adopt(running.customer)
    except (StripeAway, stripe.StripeError):
        log.warning("%s is read later", running.customer.stripe_id, exc_info=True)


def _running(account: Account, client: stripe.StripeClient) -> Running:
    """Raises NotPossible where there is nothing to change."""
    ours = (
        Subscription.objects.select_related("plan", "price", "next_plan")
        .filter(account=account)
        .first()
    )
    customer = Customer.objects.ours().filter(account=account).first()
    if ours is None or customer is None or not ours.is_running:
        raise NotPossible("This account pays for no plan that could be changed.")
    return Running(ours, client.v1.subscriptions.retrieve(str(ours.stripe_id)), customer)


def _preview(
    running: Running, plan: Plan, proration_date: int | None, client: stripe.StripeClient
) -> Preview:
    _check_not(running, plan, smaller=False)
    price, at = price_of(plan), proration_date or int(clock.now().timestamp())
    at = max(at, item_of(running.theirs).current_period_start)
    asked: Any = {
        "subscription": running.theirs.id,
        "subscription_details": running.change(price, at),
    }
    invoice = client.v1.invoices.create_preview(asked)
    return Preview(
        price,
        due=invoice.amount_due,
        lines=[(line.description or plan.name, line.amount) for line in invoice.lines.data],
        period_end=moment(max((line.period.end for line in invoice.lines.data), default=at)),
        proration_date=at,
        from_balance=invoice.total - invoice.amount_due,
    )


def _check_not(running: Running, plan: Plan, *, smaller: bool) -> None:
    """Raises NotPossible for a change in the wrong direction, or while something is owed."""
    if running.ours.status == Status.PAST_DUE:
        raise NotPossible("An invoice of this account is unpaid; pay that first.")
    if plan == running.ours.plan:
        raise NotPossible(f"This account is on {plan} already.")
    if (plan.position < running.ours.plan.position) != smaller:
        kind = "smaller" if smaller else "greater"
        raise NotPossible(f"{plan} is no {kind} plan than {running.ours.plan}.")


def _release_schedule(running: Running, client: stripe.StripeClient) -> None:
    """Nothing follows by itself any more: a schedule stands in the way of every other change."""
    if schedule := _schedule_of(running):
        client.v1.subscription_schedules.release(schedule)


def _schedule_of(running: Running) -> str | None:
    schedule = running.theirs.schedule
    return str(getattr(schedule, "id", schedule)) if schedule else None


def _schedule(running: Running, price: Price, client: stripe.StripeClient) -> None:
    """Another price from the next period on, instead of what else may have been planned."""
    schedule = _schedule_of(running)
    if schedule is None:
        made = client.v1.subscription_schedules.create({"from_subscription": running.theirs.id})
        schedule = made.id
    client.v1.subscription_schedules.update(schedule, _phases(running.theirs, price))


@contextmanager
def _without_schedule(running: Running, client: stripe.StripeClient) -> Iterator[None]:
    """What was to follow follows no more; unless this fails, then it does again."""
    planned = running.ours.next_plan
    _release_schedule(running, client)
    try:
        yield
    except Exception:
        if planned:
            released = client.v1.subscriptions.retrieve(running.theirs.id)
            _schedule(replace(running, theirs=released), price_of(planned), client)
        raise


def _phases(subscription: stripe.Subscription, price: Price) -> Any:
    item = item_of(subscription)
    now = {
        "items": [{"price": item.price.id, "quantity": 1}],
        "start_date": item.current_period_start,
        "end_date": item.current_period_end,
    }
    then = {
        "items": [{"price": price.stripe_id, "quantity": 1}],
        "duration": {"interval": "month", "interval_count": price.interval_months},
        "proration_behavior": "none",
    }
    return {"phases": [now, then], "end_behavior": "release", "proration_behavior": "none"}


@contextmanager
def _paid() -> Iterator[None]:
    try:
        yield
    except stripe.CardError as error:
        raise Declined(
            f"The card did not pay: {error.user_message or error.code} Nothing was changed."
        ) from error
