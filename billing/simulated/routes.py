"""Everything that can be asked of the API: the calls that Keyplex makes, and no others."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from billing.simulated import events
from billing.simulated.errors import InvalidRequest
from billing.simulated.objects import (
    balances,
    catalog,
    checkout,
    collection,
    customers,
    invoices,
    payments,
    portal,
    previews,
    schedules,
    subscriptions,
)
from billing.simulated.parameters import EXPAND, PAGED, Shape
from billing.simulated.store import Doc


class NoSuchPath(InvalidRequest):
    status = 404


@dataclass(frozen=True)
class Route:
    """``{}`` in a path is an id, which follows the parameters. A list is answered page by page."""

    method: str
    path: str
    answer: Callable[..., Doc | list[Doc]]
    takes: Shape

    def match(self, method: str, path: str) -> re.Match[str] | None:
        pattern = re.escape(self.path).replace(r"\{\}", "([^/]+)")
        return re.fullmatch(pattern, path) if method == self.method else None


ROUTES = [
    Route("POST", "/v1/products", catalog.create_product, catalog.CREATE_PRODUCT),
    Route("GET", "/v1/products", catalog.list_products, catalog.LIST_PRODUCTS),
    Route("GET", "/v1/products/{}", catalog.retrieve_product, EXPAND),
    Route("POST", "/v1/products/{}", catalog.update_product, catalog.UPDATE_PRODUCT),
    Route("POST", "/v1/prices", catalog.create_price, catalog.CREATE_PRICE),
    Route("GET", "/v1/prices", catalog.list_prices, catalog.LIST_PRICES),
    Route("GET", "/v1/prices/{}", catalog.retrieve_price, EXPAND),
    Route("POST", "/v1/prices/{}", catalog.update_price, catalog.UPDATE_PRICE),
    Route("POST", "/v1/customers", customers.create, customers.CREATE),
    Route("GET", "/v1/customers", customers.list_, customers.LIST),
    Route("GET", "/v1/customers/{}", customers.retrieve, EXPAND),
    Route("POST", "/v1/customers/{}", customers.update, customers.UPDATE),
    Route("DELETE", "/v1/customers/{}", subscriptions.delete_customer, {}),
    Route("POST", "/v1/customers/{}/tax_ids", customers.create_tax_id, customers.CREATE_TAX_ID),
    Route("GET", "/v1/customers/{}/tax_ids", customers.list_tax_ids, PAGED),
    Route("DELETE", "/v1/customers/{}/tax_ids/{}", customers.delete_tax_id, {}),
    Route("POST", "/v1/customers/{}/balance_transactions", balances.create, balances.CREATE),
    Route("GET", "/v1/customers/{}/balance_transactions", balances.list_, balances.LIST),
    Route("GET", "/v1/customers/{}/payment_methods", customers.list_methods, PAGED),
    Route("GET", "/v1/payment_methods/{}", customers.retrieve_method, EXPAND),
    Route("POST", "/v1/checkout/sessions", checkout.create, checkout.CREATE),
    Route("GET", "/v1/checkout/sessions", checkout.list_, checkout.LIST),
    Route("GET", "/v1/checkout/sessions/{}", checkout.retrieve, EXPAND),
    Route("POST", "/v1/checkout/sessions/{}/expire", checkout.expire, EXPAND),
    Route("GET", "/v1/checkout/sessions/{}/line_items", checkout.list_line_items, PAGED),
    Route("POST", "/v1/billing_portal/sessions", portal.create_session, portal.CREATE_SESSION),
    Route(
        *("POST", "/v1/billing_portal/configurations"),
        portal.create_configuration,
        portal.CREATE_CONFIGURATION,
    ),
    Route(
        *("GET", "/v1/billing_portal/configurations"),
        portal.list_configurations,
        portal.LIST_CONFIGURATIONS,
    ),
    Route("GET", "/v1/billing_portal/configurations/{}", portal.retrieve_configuration, EXPAND),
    Route(
        *("POST", "/v1/billing_portal/configurations/{}"),
        portal.update_configuration,
        portal.UPDATE_CONFIGURATION,
    ),
    Route("GET", "/v1/subscriptions", subscriptions.list_, subscriptions.LIST),
    Route("GET", "/v1/subscriptions/{}", subscriptions.retrieve, EXPAND),
    Route("POST", "/v1/subscriptions/{}", subscriptions.update, subscriptions.UPDATE),
    Route("DELETE", "/v1/subscriptions/{}", subscriptions.cancel, subscriptions.CANCEL),
    Route("POST", "/v1/subscription_schedules", schedules.create, schedules.CREATE),
    Route("GET", "/v1/subscription_schedules", schedules.list_, schedules.LIST),
    Route("GET", "/v1/subscription_schedules/{}", schedules.retrieve, EXPAND),
    Route("POST", "/v1/subscription_schedules/{}", schedules.update, schedules.UPDATE),
    Route("POST", "/v1/subscription_schedules/{}/release", schedules.release, EXPAND),
    Route("POST", "/v1/invoices/create_preview", previews.create, previews.CREATE),
    Route("GET", "/v1/invoices", invoices.list_, invoices.LIST),
    Route("GET", "/v1/invoices/{}", invoices.retrieve, EXPAND),
    Route("GET", "/v1/invoices/{}/lines", invoices.list_lines, PAGED),
    Route("POST", "/v1/invoices/{}/finalize", collection.finalize, EXPAND),
    Route("POST", "/v1/invoices/{}/pay", collection.pay, collection.PAY),
    Route("POST", "/v1/invoices/{}/void", invoices.void, EXPAND),
    Route("POST", "/v1/invoices/{}/mark_uncollectible", invoices.mark_uncollectible, EXPAND),
    Route("GET", "/v1/invoice_payments", invoices.list_payments, invoices.LIST_PAYMENTS),
    Route("GET", "/v1/payment_intents", payments.list_intents, payments.LIST_OF_CUSTOMER),
    Route("GET", "/v1/payment_intents/{}", payments.retrieve_intent, EXPAND),
    Route("GET", "/v1/charges", payments.list_charges, payments.LIST_OF_CUSTOMER),
    Route("GET", "/v1/charges/{}", payments.retrieve_charge, EXPAND),
    Route("POST", "/v1/refunds", payments.create_refund, payments.CREATE_REFUND),
    Route("GET", "/v1/refunds", payments.list_refunds, payments.LIST_OF_PAYMENT),
    Route("GET", "/v1/refunds/{}", payments.retrieve_refund, EXPAND),
    Route("GET", "/v1/disputes", payments.list_disputes, payments.LIST_OF_PAYMENT),
    Route("GET", "/v1/disputes/{}", payments.retrieve_dispute, EXPAND),
    Route("GET", "/v1/events", events.list_, events.LIST),
    Route("GET", "/v1/events/{}", events.retrieve, EXPAND),
]


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route, and the ids within the path. Raises NoSuchPath."""
    for route in ROUTES:
        if match := route.match(method, path):
            return route, match.groups()
    raise NoSuchPath(f"{method} {path} is not simulated here.")
