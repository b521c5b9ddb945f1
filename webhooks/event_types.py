"""What there is to tell of. ``docs/webhooks.md`` has a schema for each."""

from django.db.models import TextChoices


class EventType(TextChoices):
    """The six of the seed (keyplex, lines 432-446); the label finishes “Sent when …”."""

    USAGE_THRESHOLD_REACHED = (
        "usage.threshold_reached",
        "80 or 90 % of what a day or month allows is used",
    )
    USAGE_LIMIT_EXCEEDED = (
        "usage.limit_exceeded",
        "a request was refused because the limit of a day or month was reached",
    )
    API_KEY_CREATED = "api_key.created", "a key was created"
    API_KEY_REVOKED = "api_key.revoked", "a key has ended for good"
    SUBSCRIPTION_RENEWED = "subscription.renewed", "another period of your plan has begun"
    SUBSCRIPTION_EXPIRED = "subscription.expired", "your plan has ended"
