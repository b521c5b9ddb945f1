"""Makes Stripe know the plans that are for sale; doing it twice changes nothing the second time.

A product at Stripe is one of our plans, known by its id; a price is known by its lookup key, which
says all its terms. When a plan costs something else, another price follows, and who bought at the
old one goes on paying that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import stripe
from django.conf import settings
from django.db import transaction

from billing.plans import Plan
from billing.portal import configuration_of
from billing.prices import Price
from billing.stripe_api import asking


@dataclass
class Sync:
    """One run; ``said`` tells what was done. With ``dry`` nothing is."""

    client: stripe.StripeClient
    dry: bool = False
    said: list[str] = field(default_factory=list)

    def run(self) -> None:
        for plan in Plan.objects.for_sale():
            self._offer(plan)
        gone = Price.objects.ours().filter(retired_at=None)
        for price in gone.exclude(plan__in=Plan.objects.for_sale()):
            self._retire(price)
        if not self.dry:
            configuration_of(self.client)

    def _offer(self, plan: Plan) -> None:
        current = Price.objects.current(plan)
        if current and current.terms == plan.terms and self._sells(current):
            return
        self.said.append(f"{plan}: {plan.price_in_words} every {plan.interval_in_words}")
        if self.dry:
            return
        self._put_product(plan)
        made = self._put_price(plan)
        with transaction.atomic():
            if current:
                current.retire()
            _remember(plan, made.id)
        if current:
            self._close(current)

    def _sells(self, price: Price) -> bool:
        """Whether it is for sale at Stripe, too."""
        try:
            return bool(self.client.v1.prices.retrieve(price.stripe_id).active)
        except stripe.InvalidRequestError:
            return False

    def _retire(self, price: Price) -> None:
        self.said.append(f"{price.plan}: no longer for sale")
        if not self.dry:
            price.retire()
            self._close(price)

    def _close(self, price: Price) -> None:
        if self._sells(price):
            self.client.v1.prices.update(price.stripe_id, {"active": False})

    def _put_product(self, plan: Plan) -> None:
        name = f"{settings.PRODUCT.name} {plan.name}"
        try:
            found = self.client.v1.products.retrieve(product_id(plan))
        except stripe.InvalidRequestError as error:
            if error.http_status != 404:
                raise
            self.client.v1.products.create({"id": product_id(plan), "name": name})
            return
        if found.name != name or not found.active:
            self.client.v1.products.update(found.id, {"name": name, "active": True})

    def _put_price(self, plan: Plan) -> stripe.Price:
        """The price with these terms; one that was retired is for sale again."""
        key = lookup_key(plan)
        found = [
            price
            for active in (True, False)
            for price in self.client.v1.prices.list({"lookup_keys": [key], "active": active}).data
        ]
        if not found:
            return self.client.v1.prices.create(_price(plan), {"idempotency_key": key})
        if not found[0].active:
            return self.client.v1.prices.update(found[0].id, {"active": True})
        return found[0]


def sync(*, dry: bool = False) -> list[str]:
    """What was done, or would be, in words. Raises StripeAway."""
    with asking() as client:
        run = Sync(client, dry)
        run.run()
    return run.said


def product_id(plan: Plan) -> str:
    """
    >>> product_id(Plan(slug="3-months")).endswith("_3-months")
    True
    """
    brand = re.sub(r"[^a-z0-9]+", "-", settings.PRODUCT.name.lower()).strip("-")
    return f"{brand}_{plan.slug}"


def lookup_key(plan: Plan) -> str:
    return f"{product_id(plan)}_{plan.unit_amount}_{plan.currency}_{plan.interval_months}"


def _price(plan: Plan) -> Any:
    return {
        "product": product_id(plan),
        "unit_amount": plan.unit_amount,
        "currency": plan.currency,
        "recurring": {"interval": "month", "interval_count": plan.interval_months},
        "lookup_key": lookup_key(plan),
        "nickname": plan.name,
    }


def _remember(plan: Plan, stripe_id: str) -> None:
    assert plan.unit_amount is not None
    Price.objects.update_or_create(
        stripe_id=stripe_id,
        defaults={
            "plan": plan,
            "mode": settings.STRIPE.mode,
            "unit_amount": plan.unit_amount,
            "currency": plan.currency,
            "interval_months": plan.interval_months,
            "retired_at": None,
        },
    )
