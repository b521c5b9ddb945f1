"""Everything that we ask of Stripe in the life of a contract is what its own types declare."""

from typing import Any

from billing import plan_changes
from billing import reconciliation as nightly
from billing.checkout import portal
from billing.models import Plan
from billing.simulated import routes
from tests.billing import contract
from tests.billing.crediting import give, take_back
from tests.billing.paying import BACK, BY, Paying

CALLS = {
    "DELETE /v1/subscriptions/{}",
    "GET /v1/billing_portal/configurations",
    "GET /v1/charges",
    "GET /v1/charges/{}",
    "GET /v1/checkout/sessions/{}",
    "GET /v1/customers/{}",
    "GET /v1/customers/{}/balance_transactions",
    "GET /v1/disputes",
    "GET /v1/invoices",
    "GET /v1/prices",
    "GET /v1/products/{}",
    "GET /v1/subscriptions",
    "GET /v1/subscriptions/{}",
    "POST /v1/billing_portal/configurations",
    "POST /v1/billing_portal/sessions",
    "POST /v1/checkout/sessions",
    "POST /v1/checkout/sessions/{}/expire",
    "POST /v1/customers",
    "POST /v1/customers/{}",
    "POST /v1/customers/{}/balance_transactions",
    "POST /v1/invoices/create_preview",
    "POST /v1/prices",
    "POST /v1/products",
    "POST /v1/subscription_schedules",
    "POST /v1/subscription_schedules/{}",
    "POST /v1/subscription_schedules/{}/release",
    "POST /v1/subscriptions/{}",
}


def listed(value: Any) -> Any:
    """With lists again where a form has numbered names."""
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [listed(one) for one in value.values()]
    return {name: listed(one) for name, one in value.items()}


def live_through(paying: Paying) -> None:
    yearly, monthly = Plan.objects.get(slug="12-months"), Plan.objects.get(slug="monthly")
    paying.begin("3-months")
    paying.subscribe("monthly")
    portal(paying.account, back=BACK)
    portal(paying.account, back=BACK, flow="payment_method_update")
    shown = plan_changes.preview(paying.account, yearly)
    plan_changes.upgrade(paying.account, yearly, shown=(shown.due, shown.proration_date), by=BY)
    plan_changes.downgrade(paying.account, monthly, by=BY)
    plan_changes.keep(paying.account, by=BY)
    plan_changes.cancel(paying.account, by=BY)
    plan_changes.resume(paying.account, by=BY)
    [charge, *_] = paying.api.charges.list({"customer": paying.customer.stripe_id}).data
    dispute = paying.server.control("dispute", charge=charge.id)
    paying.server.control("dispute/close", dispute=dispute["id"], won=False)
    paying.hear()
    take_back(give(paying))
    nightly.reconcile()


def test_every_call_in_the_life_of_a_contract_is_one_that_stripe_declares(paying: Paying) -> None:
    live_through(paying)

    asked = [one for one in paying.server.control("requests") if one["path"].startswith("/v1")]
    called = set()
    for one in asked:
        route, _ = routes.find(one["method"], one["path"])
        contract.judge(route.method, route.path).validate_python(listed(one["params"]))
        called.add(f"{route.method} {route.path}")
    assert called == CALLS
