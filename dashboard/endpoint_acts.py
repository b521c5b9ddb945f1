"""What members do with the webhook endpoints of their account, each act on record."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.audit import Action, Actor
from accounts.models import Account
from webhooks.endpoints import MOST
from webhooks.models import Delivery, Endpoint
from webhooks.nudges import on_commit
from webhooks.replay import replay


class TooMany(Exception):
    """The account has as many endpoints as it may have."""


@transaction.atomic
def add(
    account: Account, *, by: Actor, url: str, events: Sequence[str], description: str
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is returned only here. Raises TooMany."""
    Account.objects.select_for_update().get(pk=account.pk)  # two at once would both find room
    if account.webhook_endpoints.count() >= MOST:
        raise TooMany
    endpoint, secret = Endpoint.objects.open(
        account.pk, url=url, events=events, description=description
    )
    _record(endpoint, Action.ENDPOINT_ADDED, by, events=list(events))
    return endpoint, secret


@transaction.atomic
def change(
    endpoint: Endpoint, *, by: Actor, url: str, events: Sequence[str], description: str
) -> None:
    before = endpoint.url
    endpoint.url, endpoint.events, endpoint.description = url, list(events), description
    endpoint.save(update_fields=["url", "events", "description"])
    _record(endpoint, Action.ENDPOINT_CHANGED, by, before=before, events=list(events))


@transaction.atomic
def rotate(endpoint: Endpoint, *, by: Actor) -> str:
    """The new secret, which is returned only here."""
    secret = endpoint.rotate()
    _record(endpoint, Action.ENDPOINT_ROTATED, by)
    return secret


@transaction.atomic
def disable(endpoint: Endpoint, *, by: Actor) -> None:
    if endpoint.disable(Endpoint.Disabled.USER):
        _record(endpoint, Action.ENDPOINT_DISABLED, by)


@transaction.atomic
def enable(endpoint: Endpoint, *, by: Actor) -> None:
    if endpoint.enable():
        _record(endpoint, Action.ENDPOINT_ENABLED, by)
        on_commit([endpoint])


@transaction.atomic
def remove(endpoint: Endpoint, *, by: Actor) -> None:
    """What was sent there is forgotten with it; what happened is not."""
    _record(endpoint, Action.ENDPOINT_REMOVED, by)
    endpoint.delete()


@transaction.atomic
def send_again(delivery: Delivery, *, by: Actor) -> bool:
    """Due at once. False where it is being sent just now."""
    again = bool(Delivery.objects.filter(pk=delivery.pk).send_again())
    if again:
        _record(delivery.endpoint, Action.ENDPOINT_RESENT, by, event=delivery.event_id)
        on_commit([delivery.endpoint])
    return again


@transaction.atomic
def send_since(endpoint: Endpoint, since: datetime, *, only_missing: bool, by: Actor) -> int:
    """How many deliveries are due now."""
    number = replay(endpoint, since, only_missing=only_missing)
    _record(endpoint, Action.ENDPOINT_RESENT, by, since=since.isoformat(), deliveries=number)
    return number


def _record(endpoint: Endpoint, action: Action, by: Actor, **details: audit.Detail) -> None:
    audit.record(endpoint.account, action, by=by, about=endpoint.url, **details)
