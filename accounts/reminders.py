"""Mail before a key ends, so that no program finds out first."""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from accounts import notices
from accounts.models import APIKey

DAYS_BEFORE = (7, 1)


def remind() -> int:
    """Tell of every key that ends within a week, and again within a day; how many that were.

    Each reminder is given once, however often we are asked; a key that gets more time is told
    of again. Who chose less time than that a moment ago knows it.
    """
    now = timezone.now()
    return sum(_remind(days, now) for days in DAYS_BEFORE)


def _remind(days: int, now: datetime) -> int:
    nearer = max((other for other in DAYS_BEFORE if other < days), default=0)
    ending = APIKey.objects.usable().filter(
        expires_at__gt=now + timedelta(days=nearer),
        expires_at__lte=now + timedelta(days=days),
        created_at__lte=F("expires_at") - timedelta(days=days),
    )
    told = 0
    for api_key in ending.select_related("account", "successor"):
        assert api_key.expires_at is not None
        once = f"expiring {api_key.pk} {days} {api_key.expires_at.timestamp():.0f}"
        left = max(1, round((api_key.expires_at - now) / timedelta(days=1)))
        told += notices.tell(api_key.account, "expiring", once=once, api_key=api_key, days=left)
    return told
