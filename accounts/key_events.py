"""What an account is told of its keys, beside what is on record. Never the key itself.

A honey key is nobody's business, and that of the playground nobody's key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from webhooks.event_types import EventType
from webhooks.events import emit
from webhooks.moments import written

if TYPE_CHECKING:
    from accounts.api_keys import APIKey, APIKeyQuerySet


def created(api_key: APIKey) -> None:
    if told_of(api_key):
        emit(api_key.account_id, EventType.API_KEY_CREATED, facts(api_key))


def revoked(api_key: APIKey, reason: str) -> None:
    """It has ended: somebody revoked it, or its time is over."""
    if told_of(api_key):
        emit(
            api_key.account_id, EventType.API_KEY_REVOKED, facts(api_key) | {"reason": str(reason)}
        )


def tell_of_ended(api_keys: APIKeyQuerySet) -> int:
    """Tell of those whose time is over, each once, also if it is called twice at the same time.

    A key that got more time after that ends another time.
    """
    return sum(_tell_of_end(api_keys, api_key) for api_key in api_keys.filter(_ended()))


@transaction.atomic
def _tell_of_end(api_keys: APIKeyQuerySet, api_key: APIKey) -> bool:
    if not api_keys.filter(_ended(), pk=api_key.pk).update(end_told_at=timezone.now()):
        return False
    revoked(api_key, "rotation" if api_key.rotated_at else "expiry")
    return True


def _ended() -> Q:
    not_told = Q(end_told_at=None) | Q(end_told_at__lt=F("expires_at"))
    return Q(expires_at__lte=timezone.now(), revoked_at=None) & not_told


def told_of(api_key: APIKey) -> bool:
    return not (api_key.honey or api_key.playground)


def facts(api_key: APIKey) -> dict[str, Any]:
    return {
        "api_key_id": api_key.pk,
        "name": api_key.name,
        "hint": api_key.hint,
        "environment": api_key.environment,
        "scopes": list(api_key.scopes),
        "created_at": written(api_key.created_at),
        "expires_at": written(api_key.expires_at) if api_key.expires_at else None,
    }
