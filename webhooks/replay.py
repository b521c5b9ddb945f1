"""Sending again what happened since a moment, to an endpoint that did not get it."""

from datetime import datetime

from django.db import transaction

from webhooks import nudges
from webhooks.models import Delivery, Endpoint, Event


@transaction.atomic
def replay(endpoint: Endpoint, since: datetime, *, only_missing: bool = True) -> int:
    """Have everything that it listens to and that happened since then delivered once more.

    Also what happened while it was disabled; with ``only_missing`` not what it said yes to. How
    many deliveries that were.
    """
    events = Event.objects.filter(
        account_id=endpoint.account_id,
        created_at__gte=since,
        type__in=endpoint.events,
        test=False,
    )
    never_sent = events.exclude(deliveries__endpoint=endpoint)
    new = Delivery.objects.bulk_create(
        Delivery(event=event, endpoint=endpoint) for event in never_sent
    )
    sent = endpoint.deliveries.filter(event__in=events).exclude(pk__in=[one.pk for one in new])
    if only_missing:
        sent = sent.exclude(status=Delivery.Status.DELIVERED)
    again = sent.send_again()
    nudges.on_commit([endpoint])
    return len(new) + again
