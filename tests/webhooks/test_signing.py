"""A receiver can tell that a webhook is ours, unchanged and new, by either of two schemes."""

import hashlib
import hmac

import pytest
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.webhooks.receivers import Received, Receiver
from tests.webhooks.things import later, make_endpoint, tell, work
from webhooks.endpoints import BOTH_VALID
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db


def verify_webhook(payload: str, signature: str, secret: str) -> bool:
    """The seed's own function (keyplex, lines 462-469)."""
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature)


def verifies(request: Received, secret: str, header: str = "x-keyplex-signature") -> bool:
    return verify_webhook(request.body.decode(), request.headers.get(header, ""), secret)


def standard(request: Received, secret: str) -> bool:
    try:
        Webhook(secret).verify(request.body.decode(), request.headers)
    except WebhookVerificationError:
        return False
    return True


def test_the_function_of_the_seed_and_the_official_library_verify_what_we_send(
    receiver: Receiver,
) -> None:
    endpoint, secret = make_endpoint(url=receiver.url)
    _, another = make_endpoint(endpoint.account)
    tell(endpoint.account, name="Ünï ✓")

    work()

    [request] = receiver.received
    assert verifies(request, secret)
    assert standard(request, secret)
    assert not verifies(request, another)
    assert not standard(request, another)
    assert "x-keyplex-signature-previous" not in request.headers


def test_a_changed_byte_verifies_nowhere(receiver: Receiver) -> None:
    endpoint, secret = make_endpoint(url=receiver.url)
    tell(endpoint.account, name="plain")

    work()

    [request] = receiver.received
    forged = Received(request.headers, request.body.replace(b"plain", b"Plain"))
    assert not verifies(forged, secret)
    assert not standard(forged, secret)


def test_each_attempt_has_its_own_time_and_the_same_id(receiver: Receiver) -> None:
    receiver.statuses = [500, 200]
    endpoint, secret = make_endpoint(url=receiver.url)
    event = tell(endpoint.account)

    work()
    later(BOTH_VALID)
    work()

    first, second = receiver.received
    assert {first.headers["webhook-id"], second.headers["x-keyplex-event-id"]} == {event.pk}
    assert first.headers["webhook-timestamp"] == first.headers["x-keyplex-timestamp"]
    assert int(first.headers["webhook-timestamp"]) <= int(second.headers["webhook-timestamp"])
    assert standard(second, secret)


def test_after_a_rotation_both_secrets_are_valid_for_a_day(receiver: Receiver) -> None:
    endpoint, old = make_endpoint(url=receiver.url)
    new = endpoint.rotate()
    tell(endpoint.account)

    work()

    [request] = receiver.received
    assert standard(request, old)
    assert standard(request, new)
    assert verifies(request, new)
    assert verifies(request, old, "x-keyplex-signature-previous")


def test_a_day_later_the_old_secret_is_worth_nothing(receiver: Receiver) -> None:
    endpoint, old = make_endpoint(url=receiver.url)
    new = endpoint.rotate()
    assert endpoint.rotated_at is not None
    Endpoint.objects.update(rotated_at=endpoint.rotated_at - BOTH_VALID)
    tell(endpoint.account)

    work()

    [request] = receiver.received
    assert standard(request, new)
    assert not standard(request, old)
    assert "x-keyplex-signature-previous" not in request.headers


def test_never_more_than_two_secrets_are_valid() -> None:
    endpoint, first = make_endpoint()

    second, third = endpoint.rotate(), endpoint.rotate()

    assert endpoint.valid_secrets() == [third, second]
    assert first not in endpoint.valid_secrets()


def test_a_secret_sealed_under_another_key_is_told_of_until_it_is_rotated(
    receiver: Receiver, settings: Settings
) -> None:
    endpoint, _ = make_endpoint(url=receiver.url)
    settings.WEBHOOK_KEY = "another"
    delivery = tell(endpoint.account).deliveries.get()

    work()
    endpoint.refresh_from_db()
    new = endpoint.rotate()
    later(BOTH_VALID)
    work()

    unsigned, sent = delivery.attempts.all()
    assert "rotate it" in unsigned.error
    assert sent.status_code == 200
    [request] = receiver.received
    assert verifies(request, new)


def test_a_secret_is_kept_sealed(receiver: Receiver) -> None:
    endpoint, secret = make_endpoint()

    row = str(list(Endpoint.objects.values()))

    assert secret not in row
    assert secret.removeprefix("whsec_") not in row
    assert endpoint.valid_secrets() == [secret]
