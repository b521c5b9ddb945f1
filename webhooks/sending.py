"""Deliveries on their way: claimed, signed, sent, written down.

A worker looks after an endpoint rather than after a delivery: it sends what is due there, one
after the other, as long as the endpoint has a slot free. So a receiver that answers nothing holds
up nobody but itself.
"""

import time

from django.utils import timezone

from webhooks import claims, nudges, schedule, signing
from webhooks.claims import Claimed
from webhooks.deliveries import Delivery
from webhooks.endpoints import Endpoint
from webhooks.posting import Reply, post
from webhooks.slots import Slots

TURN = 10.0  # seconds that a worker looks after one endpoint before others get their turn
USER_AGENT = "Keyplex-Webhooks/1.0"
GONE = 410
SLOTS = Slots()


def deliver(endpoint_pk: int) -> None:
    """Send what is due to an endpoint, until nothing is, its slots are taken, or one fails.

    What is left the sweep finds within a second, so that others get their turn.
    """
    nudges.taken(endpoint_pk)
    endpoint = Endpoint.objects.enabled().filter(pk=endpoint_pk).first()
    if endpoint is None:
        return
    ends_at = time.monotonic() + TURN
    with SLOTS.one_of(endpoint) as free:
        while free and time.monotonic() < ends_at and (claimed := claims.claim(endpoint_pk)):
            reply = send(claimed, endpoint)
            finish(claimed, endpoint, reply)
            free = reply.ok


def sweep() -> None:
    """Nudge for every endpoint that has something due.

    It finds what is due again, and what a nudge was lost for.
    """
    due = Delivery.objects.due().order_by().values("endpoint_id").distinct()
    for endpoint in Endpoint.objects.enabled().filter(pk__in=due):
        nudges.nudge(endpoint)


def send(claimed: Claimed, endpoint: Endpoint) -> Reply:
    """One attempt, signed as of now. What is signed is what is sent.

    No transaction is open: a slow receiver must hold no lock.
    """
    secrets = endpoint.valid_secrets()
    if not secrets:
        return Reply(error="the secret cannot be read; rotate it")
    body, now = claimed.payload.encode(), int(time.time())
    signed = signing.headers(claimed.event_id, now, body, secrets)
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    return post(endpoint.url, body, headers | signed)


def finish(claimed: Claimed, endpoint: Endpoint, reply: Reply) -> None:
    """Write down how an attempt went, and what comes of it for the delivery and the endpoint."""
    if reply.ok:
        claims.finish(claimed, reply, Delivery.Status.DELIVERED)
        endpoint.note_success()
        return
    gone = reply.status == GONE
    delay = None if gone else schedule.delay_after(claimed.attempts_made, reply.retry_after)
    if delay is None:
        claims.finish(claimed, reply, Delivery.Status.FAILED)
    else:
        claims.finish(claimed, reply, Delivery.Status.PENDING, timezone.now() + delay)
    endpoint.note_failure(gone=gone)
