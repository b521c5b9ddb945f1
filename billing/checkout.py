"""What we ask of Stripe for an account that buys: a page to pay on, and the customer portal.

Each question that makes something carries a key made of our own rows, so that asking again after
we were killed makes nothing twice.
"""

from typing import Any

import stripe
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts import audit
from accounts.audit import Action, Actor
from accounts.models import Account
from billing import adoption
from billing.checkouts import Checkout
from billing.customers import Customer
from billing.plans import Plan
from billing.portal import configuration_of
from billing.prices import Price
from billing.readings import subscriptions_of
from billing.stripe_api import asking

UNDER_WAY = "Another payment of this account is under way; look again in a minute."


class NotPossible(Exception):
    """That cannot be done with this account now; says why, as a sentence."""


def begin(account: Account, plan: Plan, *, back: str, by: Actor) -> str:
    """Where ``account`` can pay for ``plan``. ``back`` is our page to return to.

    Raises NotPossible, StripeAway.
    """
    price = price_of(plan)
    refuse_if_leaving(account)
    with asking() as client:
        customer = customer_of(account, client)
        if url := _still_open(customer, price, client):
            return url
        adoption.adopt(customer)
        _refuse_if_paid(customer, client)
        checkout = _offer(customer, price, by)
        session = client.v1.checkout.sessions.create(
            _session(checkout, back), {"idempotency_key": f"checkout-{checkout.token}"}
        )
        if not checkout.show(session.id):
            client.v1.checkout.sessions.expire(session.id)
            raise NotPossible(UNDER_WAY)
    return str(session.url)


def price_of(plan: Plan) -> Price:
    """What ``plan`` costs at Stripe. Raises NotPossible unless that is what our pages say."""
    price = Price.objects.current(plan)
    if price is None or not plan.is_for_sale or price.terms != plan.terms:
        raise NotPossible(f"{plan} cannot be bought here at the moment.")
    return price


def refuse_if_leaving(account: Account) -> None:
    """Raises NotPossible where nothing would come of the money."""
    if account.suspended_at:
        raise NotPossible("This account is suspended; nothing can be bought for it.")
    if account.deletion_due_at:
        raise NotPossible("This account is about to be deleted; call that off first.")


def portal(account: Account, *, back: str, flow: str = "") -> str:
    """Where ``account`` finds its invoices, cards and tax ids at Stripe.

    With the ``flow`` ``payment_method_update`` only that is asked. Raises NotPossible, StripeAway.
    """
    customer = Customer.objects.ours().filter(account=account).first()
    if customer is None:
        raise NotPossible("There is nothing to look at yet: nothing has been bought here.")
    with asking() as client:
        customer_of(account, client)
        if flow:
            _let_card_count(customer, client)
        asked: dict[str, Any] = {
            "customer": customer.stripe_id,
            "configuration": configuration_of(client),
            "return_url": back,
            **({"flow_data": {"type": flow}} if flow else {}),
        }
        return client.v1.billing_portal.sessions.create(asked).url  # type: ignore[arg-type]


def customer_of(account: Account, client: stripe.StripeClient) -> Customer:
    """The account at Stripe, made if it is not there yet, under its owner's present address."""
    owner = account.memberships.select_related("user").get(role="owner").user
    known = Customer.objects.ours().filter(account=account).first()
    if known is None:
        # Another instance that shares this Stripe has an account of the same number; and who was
        # deleted at Stripe is made anew.
        gone = Customer.objects.filter(account=account).count()
        key = f"customer-{account.pk}-{account.created_at.timestamp():.6f}-{gone}"
        made = client.v1.customers.create(
            {"metadata": {"account": str(account.pk)}}, {"idempotency_key": key}
        )
        known, _ = Customer.objects.get_or_create(
            account=account,
            mode=settings.STRIPE.mode,
            gone_at=None,
            defaults={"stripe_id": made.id},
        )
    client.v1.customers.update(known.stripe_id, {"email": owner.email, "name": account.name})
    return known


def _let_card_count(customer: Customer, client: stripe.StripeClient) -> None:
    """Have subscriptions pay by the customer's card, which is what the portal changes.

    Checkout gives a subscription a card of its own, which would be charged before that.
    """
    running = client.v1.subscriptions.list({"customer": customer.stripe_id}).data
    for subscription in running:
        if card := subscription.default_payment_method:
            client.v1.customers.update(
                customer.stripe_id,
                {"invoice_settings": {"default_payment_method": str(card)}},
            )
            client.v1.subscriptions.update(subscription.id, {"default_payment_method": ""})


def _still_open(customer: Customer, price: Price, client: stripe.StripeClient) -> str | None:
    """Where the last offer can be paid, if it is for this price; else nobody can pay it any more.

    So an account is never offered two things at once, and never pays twice.
    """
    last = customer.checkouts.filter(state=Checkout.State.OPEN).first()
    if last is None:
        return None
    if last.stripe_id is None:
        if last.price != price and not last.close_unseen():
            raise NotPossible(UNDER_WAY)
        return None
    session = client.v1.checkout.sessions.retrieve(last.stripe_id)
    if session.status == "open" and last.price == price:
        return session.url
    if session.status == "open":
        client.v1.checkout.sessions.expire(last.stripe_id)
    return None  # what became of it is for the adoption to say


def _refuse_if_paid(customer: Customer, client: stripe.StripeClient) -> None:
    """Ask Stripe, which knows also of what is over here for want of a payment."""
    for subscription in subscriptions_of(customer, client):
        if subscription.status in ("past_due", "unpaid"):
            raise NotPossible(
                "An invoice of this account is unpaid; pay that, and its plan goes on."
            )
        if subscription.status in ("active", "trialing", "paused"):
            raise NotPossible("This account pays for a plan already; change that one instead.")


@transaction.atomic
def _offer(customer: Customer, price: Price, by: Actor) -> Checkout:
    """The row that Stripe's answer will be held against. Raises NotPossible beside another one."""
    Customer.objects.select_for_update().get(pk=customer.pk)
    last = customer.checkouts.filter(state=Checkout.State.OPEN).first()
    if last and (last.price != price or last.stripe_id):
        raise NotPossible(UNDER_WAY)
    if last:
        return last
    checkout = Checkout.objects.create(customer=customer, price=price, user_id=by.user_id)
    told = {"about": price.plan.name, "price": price.in_words}
    audit.record(customer.account, Action.PLAN_CHECKOUT, by=by, **told)
    return checkout


def _session(checkout: Checkout, back: str) -> Any:
    known_by = {"account": str(checkout.customer.account_id), "checkout": str(checkout.token)}
    return {
        "mode": "subscription",
        "customer": checkout.customer.stripe_id,
        "client_reference_id": str(checkout.token),
        "allowed_payment_method_types": ["card"],  # others pay days later
        "line_items": [{"price": checkout.price.stripe_id, "quantity": 1}],
        "success_url": f"{back}?paid={checkout.token}",
        "cancel_url": back,
        "subscription_data": {"metadata": known_by},
        "metadata": known_by,
        "tax_id_collection": {"enabled": True},
        "automatic_tax": {"enabled": settings.STRIPE_TAX},
        "customer_update": {"name": "auto", "address": "auto"},
    }


def billing_page() -> str:
    return settings.PUBLIC_URL + reverse("dashboard:billing")
