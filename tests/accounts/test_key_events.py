"""An account is told when a key comes and when it ends, with why, and never the key itself."""

from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone

from accounts import key_events
from accounts.audit import SYSTEM
from accounts.key_rules import Reason
from accounts.models import Account, APIKey
from tests.people import make_key

pytestmark = pytest.mark.django_db


def told(account: Account) -> list[tuple[str, str | None]]:
    """Type and reason of each event, in order."""
    payloads = [msgspec.json.decode(event.payload) for event in account.events.all()]
    return [(payload["type"], payload["data"].get("reason")) for payload in payloads]


def test_a_new_key_is_told_of_without_its_plaintext() -> None:
    key = make_key()
    make_key()

    [event] = key.account.events.all()
    data = msgspec.json.decode(event.payload)["data"]
    assert event.type == "api_key.created"
    assert (data["api_key_id"], data["hint"]) == (key.api_key.pk, key.api_key.hint)
    assert key.plaintext not in event.payload
    assert key.plaintext[4:20] not in event.payload


@pytest.mark.parametrize("reason", Reason)
def test_a_revoked_key_is_told_of_once_with_the_reason(reason: Reason) -> None:
    api_key = make_key().api_key

    api_key.revoke(by=SYSTEM, reason=reason)
    api_key.revoke(by=SYSTEM, reason=reason)

    assert told(api_key.account)[1:] == [("api_key.revoked", str(reason))]


def test_a_rotated_key_has_ended_when_its_grace_is_over() -> None:
    api_key = make_key().api_key
    api_key.rotate(by=SYSTEM, until=timezone.now() + timedelta(hours=1))
    assert key_events.tell_of_ended(APIKey.objects.all()) == 0

    APIKey.objects.filter(pk=api_key.pk).update(expires_at=timezone.now())
    ended = [key_events.tell_of_ended(APIKey.objects.all()) for _ in range(3)]

    assert ended == [1, 0, 0]
    assert told(api_key.account)[1:] == [
        ("api_key.created", None),
        ("api_key.revoked", "rotation"),
    ]


def test_an_expired_key_has_ended_and_does_so_again_after_more_time() -> None:
    api_key = make_key().api_key
    APIKey.objects.filter(pk=api_key.pk).update(expires_at=timezone.now() - timedelta(days=1))
    key_events.tell_of_ended(APIKey.objects.all())

    APIKey.objects.filter(pk=api_key.pk).update(expires_at=timezone.now() + timedelta(seconds=1))
    assert key_events.tell_of_ended(APIKey.objects.all()) == 0
    told_at = timezone.now() - timedelta(hours=1)
    APIKey.objects.filter(pk=api_key.pk).update(
        end_told_at=told_at, expires_at=told_at + timedelta(minutes=1)
    )
    key_events.tell_of_ended(APIKey.objects.all())

    assert told(api_key.account)[1:] == [("api_key.revoked", "expiry")] * 2


def test_nobody_is_told_of_honey_keys_and_of_that_of_the_playground() -> None:
    key = make_key()
    honey, _ = APIKey.objects.issue(key.account, name="old", scopes=[], honey=True, by=SYSTEM)
    played = APIKey.objects.open_playground(key.account, by=SYSTEM)

    honey.revoke(by=SYSTEM)
    played.revoke(by=SYSTEM)

    assert told(key.account) == [("api_key.created", None)]


def test_the_end_of_an_account_is_the_end_of_its_keys() -> None:
    key = make_key()
    Account.objects.filter(pk=key.account.pk).update(deletion_due_at=timezone.now())

    key.account.close()

    assert told(key.account)[1:] == [("api_key.revoked", "user")]
