"""Deliveries on their way: claimed, signed, sent, written down.

A worker looks after an endpoint rather than after a delivery: it sends what is due there, one
after the other, as long as the endpoint has a slot free. So a receiver that answers nothing holds
up nobody but itself.
"""

import time

from django.db import transaction
from django.utils import timezone

from webhooks import nudges, signing
from webhooks.deliveries import LEASE, Delivery
from webhooks.endpoints import Endpoint
from webhooks.posting import Reply, post

TURN = 10.0  # seconds that a worker looks after one endpoint before others get their turn
USER_AGENT = "Keyplex-Webhooks/1.0"


def deliver(endpoint_pk: int) -> None:
    """Send what is due to an endpoint, until nothing is, its slots are taken, or one fails.

    What is left the sweep finds within a second, so that others get their turn.
    """
    ends_at = time.monotonic() + TURN
    while time.monotonic() < ends_at and (delivery := claim(endpoint_pk)):
        reply = send(delivery)  # no transaction is open: a slow receiver must hold no lock
        delivery.finish(reply)
        if not reply.ok:
            return


def sweep() -> None:
    """Nudge for every endpoint that has something due and a slot free.

    It finds what is due again, and what a nudge was lost for.
    """
    due = Delivery.objects.due().order_by().values("endpoint_id").distinct()
    for endpoint in Endpoint.objects.enabled().filter(pk__in=due):
        if endpoint.deliveries.under_way().count() < endpoint.slots:
            nudges.nudge(endpoint)


@transaction.atomic
def claim(endpoint_pk: int) -> Delivery | None:
    """Take a due delivery for ourselves; None if there is none, or no slot free."""
    enabled = Endpoint.objects.enabled().select_for_update()
    endpoint = enabled.filter(pk=endpoint_pk).first()
    if endpoint is None or endpoint.deliveries.under_way().count() >= endpoint.slots:
        return None
    delivery = endpoint.deliveries.due().select_related("event").first()
    if delivery is None:
        return None
    delivery.endpoint = endpoint
    delivery.attempts_made += 1
    delivery.next_attempt_at = delivery.claimed_until = timezone.now() + LEASE
    delivery.save(update_fields=["attempts_made", "next_attempt_at", "claimed_until"])
    return delivery


def send(delivery: Delivery) -> Reply:
    """One attempt, signed as of now. What is signed is what is sent."""
    event, endpoint = delivery.event, delivery.endpoint
    body = event.payload.encode()
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    now = int(time.time())
    headers |= signing.headers(event.id, now, body, endpoint.valid_secrets())
    return post(endpoint.url, body, headers)
