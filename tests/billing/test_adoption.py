"""Nothing that Stripe says is granted unless we offered it, to this account, at this price."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Notice
from billing import adoption, endings, readings
from billing.models import Checkout, Customer, Plan, Price, Subscription
from billing.stripe_access import StripeAccess
from billing.stripe_api import asking
from tests.billing.paying import Paying
from tests.billing.stripe_server import KEY, SECRET
from tests.people import make_account


def another_price(paying: Paying) -> dict[str, object]:
    return {"price": paying.price("12-months")}


TAMPERED: dict[str, tuple[str, Callable[[Paying], dict[str, object]]]] = {
    "made for another offer": ("reference", lambda paying: {"token": uuid4()}),
    "for another plan": ("price", another_price),
}


@pytest.mark.parametrize("kind", TAMPERED)
def test_a_payment_that_does_not_match_our_offer_grants_nothing(paying: Paying, kind: str) -> None:
    reason, change = TAMPERED[kind]
    paying.pay(paying.begin("monthly"))
    Checkout.objects.update(**change(paying))

    paying.hear()

    checkout = Checkout.objects.get()
    assert paying.state == ("free-trial", "trialing")
    assert checkout.state == "refused"
    assert reason in checkout.refused_because
    assert "does not match" in Notice.objects.get(account=None).subject


@pytest.mark.parametrize(
    ("field", "value", "reason"), [("unit_amount", 2901, "amount"), ("currency", "eur", "currency")]
)
def test_another_amount_or_currency_than_ours_grants_nothing(
    paying: Paying, field: str, value: object, reason: str
) -> None:
    paying.pay(paying.begin("monthly"))
    Price.objects.filter(plan__slug="monthly").update(**{field: value})

    paying.hear()

    assert paying.state == ("free-trial", "trialing")
    assert reason in Checkout.objects.get().refused_because


def test_what_a_stranger_has_paid_is_not_ours(paying: Paying) -> None:
    stranger = Paying(paying.server, make_account(plan=Plan.objects.get(slug="free-trial")))
    stranger.pay(stranger.begin("monthly"))
    paying.begin("monthly")
    theirs = Checkout.objects.get(customer=stranger.customer)
    session = theirs.stripe_id
    Checkout.objects.filter(pk=theirs.pk).update(stripe_id=None)
    Checkout.objects.filter(customer=paying.customer).update(stripe_id=session)

    adoption.adopt(paying.customer)

    assert paying.state == ("free-trial", "trialing")
    assert "customer" in Checkout.objects.get(customer=paying.customer).refused_because


def test_a_session_that_cost_nothing_grants_nothing(paying: Paying) -> None:
    url = paying.begin("monthly")
    free = paying.api.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": paying.customer.stripe_id,
            "client_reference_id": str(Checkout.objects.get().token),
            "line_items": [{"price": paying.price("monthly").stripe_id, "quantity": 1}],
            "subscription_data": {"trial_period_days": 30},
            "success_url": "https://keyplex.example/",
        }
    )
    assert url != free.url
    paying.pay(free.url)
    Checkout.objects.update(stripe_id=free.id)

    paying.hear()

    assert paying.state == ("free-trial", "trialing")
    assert "no_payment_required" in Checkout.objects.get().refused_because


def test_a_subscription_that_came_of_no_checkout_of_ours_grants_nothing(paying: Paying) -> None:
    paying.begin("monthly")
    by_hand = paying.api.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": paying.customer.stripe_id,
            "line_items": [{"price": paying.price("12-months").stripe_id, "quantity": 1}],
            "success_url": "https://keyplex.example/",
        }
    )

    assert paying.pay(by_hand.url) == 303
    paying.hear()

    assert paying.state == ("free-trial", "trialing")


def test_a_price_that_is_not_ours_changes_nothing(paying: Paying) -> None:
    paying.subscribe("monthly")
    cheap = paying.api.prices.create(
        {
            "product": str(paying.api.prices.retrieve(paying.price("monthly").stripe_id).product),
            "unit_amount": 1,
            "currency": "usd",
            "recurring": {"interval": "month", "interval_count": 1},
        }
    )
    item = paying.theirs["items"].data[0].id

    paying.api.subscriptions.update(
        paying.theirs.id, {"items": [{"id": item, "price": cheap.id}], "proration_behavior": "none"}
    )
    paying.hear()

    assert paying.state == ("monthly", "active")
    assert paying.subscription.price == paying.price("monthly")


def test_a_reading_that_another_has_overtaken_is_taken_again(paying: Paying) -> None:
    """Two workers at once: the slower one has seen what no longer is."""
    paying.subscribe("monthly")
    customer = paying.customer
    with asking() as client:
        early = readings.read(customer, client)
    paying.api.subscriptions.cancel(paying.subscription.stripe_id)
    adoption.adopt(Customer.objects.get(pk=customer.pk))

    taken = adoption.take_over(customer, early)

    assert not taken
    assert paying.state == ("monthly", "canceled")
    assert paying.told("subscription.expired") == 1


def test_what_was_granted_by_hand_later_is_not_undone_by_an_old_ending(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.api.subscriptions.cancel(paying.subscription.stripe_id)
    paying.advance(seconds=60)
    Subscription.objects.start(paying.account, Plan.objects.get(slug="12-months"))

    adoption.adopt(paying.customer)

    assert paying.state == ("12-months", "active")
    assert paying.subscription.stripe_id is None


def test_the_secret_key_is_in_no_representation(paying: Paying, settings: Any) -> None:
    assert KEY not in repr(settings.STRIPE)


def test_what_another_stripe_ran_ends_when_its_period_does(paying: Paying, settings: Any) -> None:
    """Whoever tries the simulation first must not be served for ever at the real one."""
    paying.subscribe("monthly")
    settings.STRIPE = StripeAccess("live", "sk_live_1", SECRET)
    early = endings.end_what_is_over(), paying.state
    Subscription.objects.filter(account=paying.account).update(current_period_end=timezone.now())

    ended = endings.end_what_is_over()

    assert early == (0, ("monthly", "active"))
    assert (ended, paying.subscription.ended_because) == (1, "period")
    assert not paying.subscription.is_at_stripe
