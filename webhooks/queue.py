"""How the deliveries of everybody are doing, for operators."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from webhooks.models import Attempt, Delivery, Endpoint

LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Queue:
    """``due`` should be sent now; ``waiting`` has failed and is tried later. Both only to
    endpoints that are enabled: what is held for the others is ``held``.
    """

    due: int
    oldest_due_at: datetime | None
    under_way: int
    waiting: int
    held: int
    failing_endpoints: int
    disabled_endpoints: int
    arrived_lately: int
    failed_lately: int

    @property
    def late_by(self) -> timedelta:
        """How long the oldest one should have been sent by now."""
        return timezone.now() - self.oldest_due_at if self.oldest_due_at else timedelta()


def queue() -> Queue:
    now = timezone.now()
    due, open_ = Q(next_attempt_at__lte=now), Q(endpoint__disabled_at=None)
    under_way = Q(claimed_until__gt=now)
    pending = Delivery.objects.filter(status=Delivery.Status.PENDING).aggregate(
        due=Count("pk", filter=due & open_),
        oldest_due_at=Min("next_attempt_at", filter=due & open_),
        under_way=Count("pk", filter=under_way),
        waiting=Count("pk", filter=~due & open_ & ~under_way),
        held=Count("pk", filter=~open_),
    )
    endpoints = Endpoint.objects.aggregate(
        failing_endpoints=Count("pk", filter=Q(disabled_at=None, failing_since__isnull=False)),
        disabled_endpoints=Count("pk", filter=Q(disabled_at__isnull=False)),
    )
    yes = Q(status_code__gte=200, status_code__lt=300)
    attempts = Attempt.objects.filter(ended_at__gte=now - LATELY).aggregate(
        arrived_lately=Count("pk", filter=yes), failed_lately=Count("pk", filter=~yes)
    )
    return Queue(**pending, **endpoints, **attempts)
