"""Endpoints and deliveries for tests, and workers that do at once what a real one would."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Account
from tests.people import make_account
from webhooks import sending
from webhooks.event_types import EventType
from webhooks.events import emit
from webhooks.models import Delivery, Endpoint, Event

NOWHERE = "https://hooks.example.com/in"


def make_endpoint(
    account: Account | None = None, *, url: str = NOWHERE, events: list[str] | None = None
) -> tuple[Endpoint, str]:
    account = account or make_account()
    wanted = EventType.values if events is None else events
    return Endpoint.objects.open(account.pk, url=url, events=wanted)


def make_delivery(url: str = NOWHERE, *, account: Account | None = None, **data: Any) -> Delivery:
    endpoint, _ = make_endpoint(account, url=url)
    return tell(endpoint.account, **data).deliveries.get()


def tell(account: Account, **data: Any) -> Event:
    """Something happened in this account."""
    return emit(account.pk, EventType.API_KEY_CREATED, data)


def work() -> None:
    """What workers do until nothing is due."""
    for endpoint in Endpoint.objects.enabled():
        for _ in range(endpoint.deliveries.due().count()):
            sending.deliver(endpoint.pk)


def later(span: timedelta) -> None:
    """As if so much time had passed for what waits, and for those who fail."""
    for delivery in Delivery.objects.filter(status="pending"):
        Delivery.objects.filter(pk=delivery.pk).update(
            next_attempt_at=delivery.next_attempt_at - span,
            claimed_until=delivery.claimed_until and delivery.claimed_until - span,
        )
    for endpoint in Endpoint.objects.filter(failing_since__lte=timezone.now()):
        assert endpoint.failing_since is not None
        endpoint.failing_since -= span
        endpoint.save(update_fields=["failing_since"])
