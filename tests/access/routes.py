"""Every address of the site, each of something that is there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.urls import get_resolver

from billing.invoices import Invoice
from billing.models import Plan
from dashboard.models import SupportRequest
from tests.dashboard.test_billing_page import make_invoice
from tests.people import Issued, make_key
from tests.test_pages import routes
from tests.usage.calls import make_final
from tests.webhooks.things import make_delivery
from usage.posting import post
from webhooks.models import Delivery


@dataclass(frozen=True)
class Things:
    """What the addresses name: a key of some account, and what else the account has."""

    key: Issued
    request_id: str
    delivery: Delivery
    asked: SupportRequest
    invoice: Invoice

    @classmethod
    def make(cls) -> "Things":
        key = make_key()
        Plan.objects.filter(subscriptions__account=key.account).update(unit_amount=2900)
        final = make_final(account_id=key.account.pk, api_key_id=key.api_key.pk)
        post([final])
        asked = SupportRequest.objects.open(
            email="owner@example.com", text="Why?", mark="m", account=key.account
        )
        delivery, invoice = make_delivery(account=key.account), make_invoice(key.account, 1)
        return cls(key, final.request_id, delivery, asked, invoice)

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Each route, as the URLconf writes it, with an address that it matches."""
        known = {
            "request_id": self.request_id,
            "app_label": "accounts",
            "name": "csv",
            "number": self.asked.number,
            "slug": "monthly",
        }
        for route in sorted(set(routes(get_resolver()))):
            known["pk"] = str(self.pk_in(route))
            known["object_id"] = first_pk(route) if "object_id" in route else ""
            address = route
            for parameter in (r"<(?:\w+:)?(\w+)>", r"\(\?P<(\w+)>[^)]*\)"):
                address = re.sub(parameter, lambda m: known.get(m[1], "1"), address)
            yield route, "/" + re.sub(r"[\^$]|\\Z", "", address)

    def pk_in(self, route: str) -> int:
        if route.startswith("billing/invoices/"):
            return self.invoice.pk
        if route.startswith("webhooks/deliveries/"):
            return self.delivery.pk
        if route.startswith("webhooks/"):
            return self.delivery.endpoint_id
        return self.key.api_key.pk if route.startswith("keys/") else 0


def first_pk(route: str) -> str:
    """Of the model whose page at ``/ops/`` it is."""
    _, app, model, *_ = route.split("/")
    if app not in apps.app_configs:
        return "1"
    first = apps.get_model(app, model)._default_manager.first()
    return str(first.pk) if first else "1"
