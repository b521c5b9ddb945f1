"""What an operator does about a plan at ``/ops/`` is known to every process at once."""

from collections.abc import Callable

import httpx
from django.test import Client

from accounts.models import User
from billing.models import Override, Subscription
from tests.dashboard.conftest import browser_of
from tests.gateway.site import Site
from tests.gateway.test_key_rules import wait_for
from tests.people import Issued, make_key, make_plan

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello"}]}


def operator() -> Client:
    return browser_of(User.objects.create_superuser("operator@example.com", "correct horse"))


def asking(client: httpx.Client, key: Issued) -> Callable[[], httpx.Response]:
    return lambda: client.post("/v1/chat/completions", headers=key.headers, json=HELLO)


def test_a_plan_that_is_ended_and_granted_by_hand(site: Site, client: httpx.Client) -> None:
    site.see_catalog()
    key, stranger = make_key(), make_key()
    call, call_of_stranger = asking(client, key), asking(client, stranger)
    at = f"/ops/billing/subscription/{Subscription.objects.get(account=key.account).pk}"
    plan, browser = make_plan("enterprise"), operator()
    before = call().status_code

    browser.post(f"{at}/end/", {"reason": "Fraud."})
    refused = call()
    browser.post(f"{at}/grant/", {"plan": plan.pk, "reason": "A mistake."})
    wait_for(lambda: call().status_code == 200)  # who was refused is asked about again soon

    assert (before, refused.status_code) == (200, 403)
    assert refused.json()["error"]["code"] == "subscription_expired"
    assert call_of_stranger().status_code == 200


def test_limits_that_are_agreed_by_hand(site: Site, client: httpx.Client) -> None:
    site.see_catalog()
    key, stranger = make_key(), make_key()
    call, call_of_stranger = asking(client, key), asking(client, stranger)
    at = f"/ops/billing/subscription/{Subscription.objects.get(account=key.account).pk}"
    browser = operator()
    before = call().status_code

    browser.post(f"{at}/override/", {"requests_per_day": "0", "reason": "Fraud."})
    refused = call().status_code
    browser.post(f"/ops/billing/override/{Override.objects.get().pk}/end/")
    again = call().status_code

    assert (before, refused, again) == (200, 429, 200)
    assert call_of_stranger().status_code == 200
