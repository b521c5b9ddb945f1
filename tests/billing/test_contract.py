"""What is asked of the simulation, and what it answers, is what Stripe's own types declare."""

from typing import Any

import pytest
from pydantic import ValidationError
from stripe._object_classes import OBJECT_CLASSES

from billing.simulated import routes
from billing.simulated.parameters import Needed, Shape
from tests.billing import contract
from tests.billing.shop import BACK, MONTHLY, PRO, Shop, portal
from tests.billing.stripe_server import GOOD, LATER_BAD

ROUTES = [(route.method, route.path) for route in routes.ROUTES]
REFUSED = {
    ("/v1/customers", "emial"): {"emial": "a@example.org"},
    ("/v1/checkout/sessions", "line_items"): {
        "mode": "subscription",
        "line_items": [{"prise": "price_1"}],
    },
    ("/v1/billing_portal/sessions", "return_ulr"): {"return_ulr": "https://keyplex.example/"},
    ("/v1/refunds", "amount"): {"amount": "five"},
}


def example(shape: Shape) -> Any:
    """Some value that fits: what the simulation takes, as a form would carry it."""
    if isinstance(shape, Needed):
        return example(shape.shape)
    if isinstance(shape, dict):
        return {"name" if key == "*" else key: example(one) for key, one in shape.items()}
    if isinstance(shape, list):
        return [example(shape[0])]
    if isinstance(shape, set):
        return min(shape)
    return {str: "text", int: "12", bool: "true"}[shape]


@pytest.mark.parametrize("route", routes.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_parameter_that_is_taken_is_one_of_stripe_s(route: routes.Route) -> None:
    judge = contract.judge(route.method, route.path)

    judge.validate_python(example(route.takes))


@pytest.mark.parametrize(("call", "params"), REFUSED.items(), ids=lambda value: str(value)[:30])
def test_the_judge_knows_what_is_wrong(call: tuple[str, str], params: dict[str, Any]) -> None:
    path, name = call

    with pytest.raises(ValidationError) as wrong:
        contract.judge("POST", path).validate_python(params)

    assert wrong.value.errors()[0]["loc"][0] == name


def test_every_call_has_its_judge() -> None:
    assert set(contract.NAMES) == set(ROUTES)


def live(shop: Shop) -> None:
    """A life in which every kind of object appears."""
    client, customer = shop.client.v1, shop.customer().id
    subscription = shop.subscribe(
        customer, automatic_tax={"enabled": True}, tax_id_collection={"enabled": True}
    )
    done = {"type": "redirect", "redirect": {"return_url": BACK}}
    flow = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription.id},
        "after_completion": done,
    }
    portal(shop, customer, flow_data=flow)
    client.customers.tax_ids.create(customer, {"type": "eu_vat", "value": "DE123456789"})
    schedule = client.subscription_schedules.create({"from_subscription": subscription.id})
    client.subscription_schedules.release(schedule.id)
    pay_and_fail(shop, subscription.id, customer)
    shop.server.settle()


def pay_and_fail(shop: Shop, key: str, customer: str) -> None:
    client, server = shop.client.v1, shop.server
    change = shop.change(shop.subscription(key), PRO)
    details: Any = {"items": change, "proration_date": server.now}
    client.invoices.create_preview({"subscription": key, "subscription_details": details})
    client.subscriptions.update(key, {"items": change, "proration_behavior": "always_invoice"})
    server.control("card", customer=customer, outcome="card_declined")
    server.advance(days=32)
    owed = shop.invoice(shop.subscription(key))
    server.visit(str(owed.hosted_invoice_url), action="pay", number=LATER_BAD)
    server.visit(str(owed.hosted_invoice_url), action="pay", number=GOOD)
    [payment] = client.invoice_payments.list({"invoice": owed.id}).data
    intent = client.payment_intents.retrieve(str(payment.payment.payment_intent))
    client.refunds.create({"payment_intent": intent.id, "amount": 100})
    server.control("dispute", charge=intent.latest_charge)
    client.subscriptions.cancel(key, {"cancellation_details": {"feedback": "unused"}})


def everything(shop: Shop) -> list[dict[str, Any]]:
    """What every list of the API has to say, every event, and what is in no list."""
    found: list[dict[str, Any]] = []
    for method, path in ROUTES:
        if method == "GET" and "{}" not in path:
            given = {"status": "all"} if path == "/v1/subscriptions" else {}
            page = shop.client.raw_request("get", path, limit=100, **given).data
            found += [page, *page["data"]]
    events = [one.document for one in shop.server.receiver.received]
    found += [*events, *(event["data"]["object"] for event in events)]
    subscription = shop.subscribe()
    session = shop.client.v1.checkout.sessions.list(
        {"subscription": subscription.id, "expand": ["data.line_items"]}
    )
    preview = shop.client.v1.invoices.create_preview({"subscription": subscription.id})
    return [*found, session.to_dict(), preview.to_dict()]


def test_every_object_has_only_the_fields_that_the_client_declares(shop: Shop) -> None:
    live(shop)

    seen = everything(shop)

    kinds = {one["object"] for one in seen}
    assert {name for one in seen for name in contract.undeclared(one)} == set()
    assert {"checkout.session", "dispute", "invoice", "refund", "subscription_schedule"} < kinds
    assert kinds <= set(OBJECT_CLASSES)


def test_every_request_of_a_life_is_one_that_stripe_declares(shop: Shop) -> None:
    live(shop)

    asked = shop.server.control("requests")

    assert len(asked) > 20
    for one in asked:
        route, _ = routes.find(one["method"], one["path"])
        contract.judge(route.method, route.path).validate_python(listed(one["params"]))


def listed(value: Any) -> Any:
    """A form's positions as the list that they stand for."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [listed(value[key]) for key in sorted(value, key=int)]
    return {key: listed(one) for key, one in value.items()}


def test_every_event_is_of_a_type_that_a_webhook_can_be_registered_for(shop: Shop) -> None:
    live(shop)

    told = set(shop.server.types())

    assert len(told) > 20
    assert told <= contract.event_types()


def test_the_catalogue_is_what_was_put_in(shop: Shop) -> None:
    [price] = shop.client.v1.prices.list({"lookup_keys": [MONTHLY]}).data

    assert price.unit_amount == 2000
    assert str(price.unit_amount_decimal) == "2000"
