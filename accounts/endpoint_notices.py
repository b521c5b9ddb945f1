"""Mail when webhooks do not arrive: at the first that is given up, half way and shortly before an
endpoint is disabled, and when it is.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import notices
from webhooks.endpoints import GIVEN_UP_AFTER, LEAST_FAILURES
from webhooks.models import Delivery, Endpoint

WARNED_AT = (50, 90)  # percent of the time after which an endpoint is disabled
LATELY = timedelta(days=1)


def tell_of_failures() -> int:
    """How many mails that makes. Each is written once, however often we are asked."""
    return _tell_of_given_up() + _tell_of_failing() + _tell_of_disabled()


def _tell_of_given_up() -> int:
    lately = timezone.now() - LATELY
    given_up = Delivery.objects.filter(status=Delivery.Status.FAILED, finished_at__gte=lately)
    told = 0
    for delivery in given_up.order_by("endpoint_id", "finished_at").distinct("endpoint_id"):
        told += _tell(delivery.endpoint, "given_up", f"{delivery.finished_at:%Y-%m-%d}")
    return told


def _tell_of_failing() -> int:
    now, told = timezone.now(), 0
    failing = Endpoint.objects.enabled().filter(failures__gte=LEAST_FAILURES)
    for endpoint in failing.exclude(failing_since=None):
        assert endpoint.failing_since is not None
        share = 100 * (now - endpoint.failing_since) / GIVEN_UP_AFTER
        passed = [percent for percent in WARNED_AT if share >= percent]
        if passed:
            once = f"{endpoint.failing_since.timestamp():.0f} {passed[-1]}"
            ends_at = endpoint.failing_since + GIVEN_UP_AFTER
            told += _tell(endpoint, "failing", once, ends_at=ends_at)
    return told


def _tell_of_disabled() -> int:
    given_up = [Endpoint.Disabled.FAILING, Endpoint.Disabled.GONE]
    lately = Endpoint.objects.filter(
        disabled_because__in=given_up, disabled_at__gte=timezone.now() - LATELY
    )
    return sum(
        _tell(endpoint, "disabled", f"{endpoint.disabled_at.timestamp():.0f}")
        for endpoint in lately
        if endpoint.disabled_at
    )


def _tell(endpoint: Endpoint, why: str, once: str, **context: Any) -> bool:
    """Whether the account did not know yet."""
    page = settings.PUBLIC_URL + reverse("dashboard:endpoint", args=[endpoint.pk])
    context |= {"endpoint": endpoint, "page": page}
    once = f"endpoint {endpoint.pk} {why} {once}"
    return notices.tell(endpoint.account, f"endpoint_{why}", once=once, **context)
