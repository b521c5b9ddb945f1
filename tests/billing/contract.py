"""What Stripe's own client says of requests and of objects, for the simulation to be held against.

The parameters of ``stripe.params`` and the fields of its classes are generated from Stripe's
description of its API. They are types for a type checker; pydantic makes them a judge.
"""

import importlib
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import stripe
from pydantic import ConfigDict, TypeAdapter
from stripe._object_classes import OBJECT_CLASSES
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject, UntypedStripeObject
from stripe.params import WebhookEndpointCreateParams
from typing_extensions import TypedDict, is_typeddict

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
NAMES = {  # of the parameters, by what is asked
    ("POST", "/v1/products"): "ProductCreateParams",
    ("GET", "/v1/products"): "ProductListParams",
    ("GET", "/v1/products/{}"): "ProductRetrieveParams",
    ("POST", "/v1/products/{}"): "ProductUpdateParams",
    ("POST", "/v1/prices"): "PriceCreateParams",
    ("GET", "/v1/prices"): "PriceListParams",
    ("GET", "/v1/prices/{}"): "PriceRetrieveParams",
    ("POST", "/v1/prices/{}"): "PriceUpdateParams",
    ("POST", "/v1/customers"): "CustomerCreateParams",
    ("GET", "/v1/customers"): "CustomerListParams",
    ("GET", "/v1/customers/{}"): "CustomerRetrieveParams",
    ("POST", "/v1/customers/{}"): "CustomerUpdateParams",
    ("DELETE", "/v1/customers/{}"): "CustomerDeleteParams",
    ("POST", "/v1/customers/{}/tax_ids"): "CustomerTaxIdCreateParams",
    ("GET", "/v1/customers/{}/tax_ids"): "CustomerTaxIdListParams",
    ("DELETE", "/v1/customers/{}/tax_ids/{}"): "CustomerTaxIdDeleteParams",
    ("POST", "/v1/customers/{}/balance_transactions"): "CustomerBalanceTransactionCreateParams",
    ("GET", "/v1/customers/{}/balance_transactions"): "CustomerBalanceTransactionListParams",
    ("GET", "/v1/customers/{}/payment_methods"): "CustomerPaymentMethodListParams",
    ("GET", "/v1/payment_methods/{}"): "PaymentMethodRetrieveParams",
    ("POST", "/v1/checkout/sessions"): "checkout.SessionCreateParams",
    ("GET", "/v1/checkout/sessions"): "checkout.SessionListParams",
    ("GET", "/v1/checkout/sessions/{}"): "checkout.SessionRetrieveParams",
    ("POST", "/v1/checkout/sessions/{}/expire"): "checkout.SessionExpireParams",
    ("GET", "/v1/checkout/sessions/{}/line_items"): "checkout.SessionLineItemListParams",
    ("POST", "/v1/billing_portal/sessions"): "billing_portal.SessionCreateParams",
    ("POST", "/v1/billing_portal/configurations"): "billing_portal.ConfigurationCreateParams",
    ("GET", "/v1/billing_portal/configurations"): "billing_portal.ConfigurationListParams",
    ("GET", "/v1/billing_portal/configurations/{}"): "billing_portal.ConfigurationRetrieveParams",
    ("POST", "/v1/billing_portal/configurations/{}"): "billing_portal.ConfigurationUpdateParams",
    ("GET", "/v1/subscriptions"): "SubscriptionListParams",
    ("GET", "/v1/subscriptions/{}"): "SubscriptionRetrieveParams",
    ("POST", "/v1/subscriptions/{}"): "SubscriptionUpdateParams",
    ("DELETE", "/v1/subscriptions/{}"): "SubscriptionCancelParams",
    ("POST", "/v1/subscription_schedules"): "SubscriptionScheduleCreateParams",
    ("GET", "/v1/subscription_schedules"): "SubscriptionScheduleListParams",
    ("GET", "/v1/subscription_schedules/{}"): "SubscriptionScheduleRetrieveParams",
    ("POST", "/v1/subscription_schedules/{}"): "SubscriptionScheduleUpdateParams",
    ("POST", "/v1/subscription_schedules/{}/release"): "SubscriptionScheduleReleaseParams",
    ("POST", "/v1/invoices/create_preview"): "InvoiceCreatePreviewParams",
    ("GET", "/v1/invoices"): "InvoiceListParams",
    ("GET", "/v1/invoices/{}"): "InvoiceRetrieveParams",
    ("GET", "/v1/invoices/{}/lines"): "InvoiceLineItemListParams",
    ("POST", "/v1/invoices/{}/finalize"): "InvoiceFinalizeInvoiceParams",
    ("POST", "/v1/invoices/{}/pay"): "InvoicePayParams",
    ("POST", "/v1/invoices/{}/void"): "InvoiceVoidInvoiceParams",
    ("POST", "/v1/invoices/{}/mark_uncollectible"): "InvoiceMarkUncollectibleParams",
    ("GET", "/v1/invoice_payments"): "InvoicePaymentListParams",
    ("GET", "/v1/payment_intents"): "PaymentIntentListParams",
    ("GET", "/v1/payment_intents/{}"): "PaymentIntentRetrieveParams",
    ("GET", "/v1/charges"): "ChargeListParams",
    ("GET", "/v1/charges/{}"): "ChargeRetrieveParams",
    ("POST", "/v1/refunds"): "RefundCreateParams",
    ("GET", "/v1/refunds"): "RefundListParams",
    ("GET", "/v1/refunds/{}"): "RefundRetrieveParams",
    ("GET", "/v1/disputes"): "DisputeListParams",
    ("GET", "/v1/disputes/{}"): "DisputeRetrieveParams",
    ("GET", "/v1/events"): "EventListParams",
    ("GET", "/v1/events/{}"): "EventRetrieveParams",
}


def anything(kind: Any, handler: Any) -> Any:
    return {"type": "any"}


UntypedStripeObject.__get_pydantic_core_schema__ = anything  # type: ignore[attr-defined]
NAMED_IN_TYPES_ONLY = {"Mapping": Mapping, "StripeContext": stripe.StripeContext}


@cache
def judge(method: str, path: str) -> TypeAdapter[Any]:
    """Validates the parameters of one call; what Stripe does not declare is an error.

    The options of a request (its key, its account) are no parameters, though the client's types
    list them among those.
    """
    module, _, name = f"stripe.params.{NAMES[method, path]}".rpartition(".")
    declared = getattr(importlib.import_module(module), name)
    for one in vars(sys.modules[declared.__module__]).values():
        if is_typeddict(one):
            one.__pydantic_config__ = STRICT
    fields = get_type_hints(declared, localns=NAMED_IN_TYPES_ONLY, include_extras=True)
    own = {key: kind for key, kind in fields.items() if key not in RequestOptions.__annotations__}
    params = TypedDict(name, own)  # type: ignore[misc]  # made from another
    params.__pydantic_config__ = STRICT  # type: ignore[attr-defined]
    return TypeAdapter(params)


def event_types() -> set[str]:
    """Those that Stripe knows."""
    [known] = get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    return set(get_args(known if get_origin(known) is Literal else get_args(known)[0]))


def undeclared(value: Any, kind: type[StripeObject] | None = None, path: str = "") -> list[str]:
    """The fields of an answer that the client's class for it does not know, wherever they are."""
    if isinstance(value, list):
        return [name for one in value for name in undeclared(one, kind, f"{path}[]")]
    if not isinstance(value, dict):
        return []
    kind = class_of(value.get("object")) or kind
    if kind is None or kind is StripeObject:
        return []
    path = path or kind.__name__
    known = {name for one in kind.__mro__ for name in getattr(one, "__annotations__", {})}
    known.add("object")  # by which the client finds the class
    inner = getattr(kind, "_inner_class_types", {})
    found = [f"{path}.{name}" for name in value if name not in known]
    for name, one in value.items():
        found += undeclared(one, inner.get(name, StripeObject), f"{path}.{name}")
    return found


def class_of(name: Any) -> type[StripeObject] | None:
    if not isinstance(name, str) or name not in OBJECT_CLASSES:
        return None  # in the data of an event, ``object`` is one itself
    module, attribute = OBJECT_CLASSES[name]
    found: type[StripeObject] = getattr(importlib.import_module(module), attribute)
    return found
