"""Whom we tell: an event is what happened, a delivery to whom it goes, an attempt how it went."""

from webhooks.deliveries import Attempt, Delivery
from webhooks.endpoints import Endpoint
from webhooks.events import Event, Sequence

__all__ = ["Attempt", "Delivery", "Endpoint", "Event", "Sequence"]
