"""Events at our door: only those of Stripe, only from now, and kept before we say yes."""

import json
import time
from typing import Any

import pytest
import stripe
from django.core.checks import run_checks
from django.test import Client
from django.utils import timezone

from billing import hearing
from billing.models import StripeEvent
from billing.stripe_access import StripeAccess
from billing.stripe_events import NotHeard, hear
from tests.billing.paying import Paying, look_into_everything, post
from tests.billing.stripe_server import KEY, SECRET

pytestmark = pytest.mark.django_db


def event(**more: Any) -> bytes:
    said = {
        "id": "evt_1",
        "object": "event",
        "type": "customer.subscription.updated",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": {"object": "subscription", "customer": "cus_of_nobody"}},
    }
    return json.dumps({**said, **more}).encode()


def signed(body: bytes, secret: str = SECRET, moment: int | None = None) -> str:
    """By the helper of the official client."""
    at = int(time.time()) if moment is None else moment
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)


@pytest.fixture(autouse=True)
def _stripe(settings: Any) -> None:
    settings.STRIPE = StripeAccess("test", KEY, SECRET)


def test_an_event_of_stripe_is_kept_and_a_second_time_only_counted() -> None:
    body = event()

    answers = [post(body, signed(body)) for _ in range(3)]

    assert answers == [200, 200, 200]
    assert StripeEvent.objects.get().times == 3


FORGED = {
    "no signature": lambda body: (body, ""),
    "another secret": lambda body: (body, signed(body, "whsec_of_somebody_else_entirely")),
    "the empty secret": lambda body: (body, signed(body, "")),
    "the word None": lambda body: (body, signed(body, "None")),
    "301 seconds ago": lambda body: (body, signed(body, moment=int(time.time()) - 301)),
    "301 seconds ahead": lambda body: (body, signed(body, moment=int(time.time()) + 302)),
    "one byte changed": lambda body: (body.replace(b"evt_1", b"evt_2"), signed(body)),
    "written anew": lambda body: (json.dumps(json.loads(body), indent=1).encode(), signed(body)),
    "two wrong signatures": lambda body: (
        body,
        signed(body, "whsec_wrong") + "," + signed(body, "whsec_w2").partition(",")[2],
    ),
    "only an old scheme": lambda body: (body, signed(body).replace("v1=", "v0=")),
    "no time": lambda body: (body, signed(body).partition(",")[2]),
    "not JSON": lambda body: (b"\xff\xfe", signed(body)),
    "no object": lambda body: (b"[]", signed(b"[]")),
    "no event": lambda body: (b'{"object": "event"}', signed(b'{"object": "event"}')),
}


@pytest.mark.parametrize("kind", FORGED)
def test_what_is_not_from_stripe_or_not_from_now_is_not_kept(kind: str) -> None:
    body, signature = FORGED[kind](event())

    assert post(body, signature) == 400
    assert not StripeEvent.objects.exists()


def test_one_good_signature_beside_one_of_an_old_secret_is_enough() -> None:
    body = event()
    both = signed(body, "whsec_old_one") + "," + signed(body).partition(",")[2]

    assert post(body, both) == 200


@pytest.mark.parametrize(("mode", "livemode"), [("test", True), ("live", False)])
def test_test_mode_and_live_mode_do_not_mix(settings: Any, mode: Any, livemode: bool) -> None:
    settings.STRIPE = StripeAccess(mode, KEY, SECRET)
    body = event(livemode=livemode)

    assert post(body, signed(body)) == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("secret", ["", "whsec_", "None", "whsec_test"])
def test_without_a_real_secret_nobody_is_believed_and_the_check_says_so(
    settings: Any, secret: str
) -> None:
    settings.STRIPE = StripeAccess("live", "sk_live_1", secret)
    body = event(livemode=True)

    answer = post(body, signed(body, secret))

    assert answer == 503
    assert not StripeEvent.objects.exists()
    assert "billing.E001" in {one.id for one in run_checks(include_deployment_checks=True)}


def test_where_there_is_no_stripe_nothing_is_heard(settings: Any) -> None:
    settings.STRIPE = StripeAccess()

    with pytest.raises(NotHeard):
        hear(event(), signed(event()))


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_the_address_is_for_posting_only(client: Client, method: str) -> None:
    assert getattr(client, method)("/stripe/events").status_code == 405


def test_an_event_about_nobody_of_ours_is_kept_and_done_with() -> None:
    body = event()
    post(body, signed(body))

    look_into_everything()

    assert StripeEvent.objects.get().processed_at


def test_an_event_waits_while_stripe_cannot_be_asked(paying: Paying, settings: Any) -> None:
    url, access = paying.begin("monthly"), settings.STRIPE
    paying.pay(url)
    settings.STRIPE = StripeAccess("simulated", KEY, SECRET, "http://127.0.0.1:9")
    paying.hear()
    waiting = StripeEvent.objects.filter(processed_at=None)
    failures = set(waiting.exclude(customer="").values_list("failures", flat=True))
    before = paying.state

    settings.STRIPE = access
    too_early = look_into_everything(), paying.state
    StripeEvent.objects.update(next_attempt_at=timezone.now())
    look_into_everything()

    assert before == too_early[1] == ("free-trial", "trialing")
    assert failures
    assert min(failures) >= 1
    assert not waiting.exists()
    assert paying.state == ("monthly", "active")


def test_the_sweep_finds_what_no_nudge_has_brought(paying: Paying) -> None:
    paying.pay(paying.begin("monthly"))
    paying.server.settle()
    for one in paying.server.receiver.received:
        post(one.body, one.headers["stripe-signature"])
    early = hearing.sweep()
    StripeEvent.objects.update(next_attempt_at="2026-01-01T00:00Z")

    assert early == 0
    assert hearing.sweep() > 0
    assert paying.state == ("monthly", "active")
    assert hearing.sweep() == 0


def test_of_what_an_event_says_only_ids_are_kept() -> None:
    about = {
        "object": "invoice",
        "id": "in_1",
        "customer": "cus_1",
        "customer_email": "a@b.example",
    }
    body = event(data={"object": about})

    post(body, signed(body))

    kept = StripeEvent.objects.get()
    assert kept.about == {"object": "invoice", "id": "in_1", "customer": "cus_1"}


def test_old_events_are_forgotten_unless_they_wait() -> None:
    for number in (1, 2):
        body = event(id=f"evt_{number}")
        post(body, signed(body))
    StripeEvent.objects.update(received_at="2026-01-01T00:00Z", processed_at=None)
    StripeEvent.objects.filter(stripe_id="evt_1").update(processed_at="2026-01-01T00:00Z")

    hearing.forget_old()

    assert [one.stripe_id for one in StripeEvent.objects.all()] == ["evt_2"]
