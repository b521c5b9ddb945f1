"""A shop with four plans, and people who buy."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from tests.billing.stripe_server import GOOD, StripeServer

MONTHLY, QUARTERLY, YEARLY, PRO = "monthly", "quarterly", "yearly", "pro"
AMOUNTS = {MONTHLY: (2000, 1), QUARTERLY: (5400, 3), YEARLY: (19200, 12), PRO: (5000, 1)}
SUCCESS = "https://keyplex.example/thanks?s={CHECKOUT_SESSION_ID}"
CANCEL = "https://keyplex.example/no"
BACK = "https://keyplex.example/billing"
HOUR, DAY = 3600, 24 * 3600
EVERYTHING: dict[str, Any] = {
    "customer_update": {"enabled": True, "allowed_updates": ["email", "name", "tax_id"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
}


@dataclass
class Shop:
    server: StripeServer

    def __post_init__(self) -> None:
        self.client = self.server.client
        self.prices: dict[str, stripe.Price] = {}
        for name, (amount, months) in AMOUNTS.items():
            product = self.client.v1.products.create({"name": name.title()})
            self.prices[name] = self.client.v1.prices.create(
                {
                    "product": product.id,
                    "currency": "usd",
                    "unit_amount": amount,
                    "recurring": {"interval": "month", "interval_count": months},
                    "lookup_key": name,
                }
            )

    def customer(self, email: str = "alice@example.org") -> stripe.Customer:
        return self.client.v1.customers.create({"email": email, "name": "Alice"})

    def offer(self, customer: str | None = None, plan: str = MONTHLY, **more: Any) -> Any:
        """A checkout session that nobody has looked at yet."""
        params: Any = {
            "mode": "subscription",
            "line_items": [{"price": self.prices[plan].id, "quantity": 1}],
            "success_url": SUCCESS,
            "cancel_url": CANCEL,
            "client_reference_id": "account-1",
            **({"customer": customer} if customer else {}),
            **more,
        }
        return self.client.v1.checkout.sessions.create(params)

    def subscribe(
        self, customer: str | None = None, plan: str = MONTHLY, number: str = GOOD, **more: Any
    ) -> stripe.Subscription:
        session = self.offer(customer or self.customer().id, plan, **more)
        answer = self.server.visit(session.url, action="pay", number=number)
        assert answer.status_code == 303, answer.text
        done = self.client.v1.checkout.sessions.retrieve(session.id)
        return self.subscription(str(done.subscription))

    def subscription(self, key: str) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(key)

    def change(self, subscription: stripe.Subscription, plan: str) -> list[Any]:
        """The items of an update."""
        return [{"id": item(subscription).id, "price": self.prices[plan].id}]

    def invoice(self, subscription: stripe.Subscription) -> stripe.Invoice:
        """The latest."""
        return self.client.v1.invoices.retrieve(str(subscription.latest_invoice))


def item(subscription: stripe.Subscription) -> stripe.SubscriptionItem:
    """``items`` is also a method's name: as a field it is asked for like this."""
    found: stripe.SubscriptionItem = subscription["items"].data[0]
    return found


def portal(shop: Shop, customer: str, *, without: str = "", **more: Any) -> str:
    """The address of a portal that allows everything, ``without`` one feature."""
    features: Any = {name: value for name, value in EVERYTHING.items() if name != without}
    if without != "subscription_update":
        price = shop.prices[PRO]
        features["subscription_update"] = {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "products": [{"product": str(price.product), "prices": [price.id]}],
            "proration_behavior": "always_invoice",
        }
    configuration = shop.client.v1.billing_portal.configurations.create({"features": features})
    given: Any = {
        "customer": customer,
        "configuration": configuration.id,
        "return_url": BACK,
        **more,
    }
    return shop.client.v1.billing_portal.sessions.create(given).url


def date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
