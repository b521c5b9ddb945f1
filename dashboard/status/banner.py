"""What members read on top of whatever page they are on, while it concerns them all.

No page asks the database for it: it is put into the cache when operators publish something, and
again every minute.
"""

from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from redis import RedisError

from dashboard.status.incidents import Incident
from dashboard.status.maintenance import Maintenance

KEY, KEPT = "status:banner", 300  # seconds; longer than a minute, should a worker be late


def renew() -> None:
    """Say what is so now: incidents that are loud, and maintenance that is under way."""
    told = [*Incident.objects.loud(), *Maintenance.objects.under_way()]
    try:
        cache.set(KEY, render_to_string("status/_banner.html", {"several": told}), KEPT)
    except RedisError:
        return  # the next minute tries again


def banner() -> SafeString:
    """The part of a page; empty where there is nothing to say, and while Redis is away."""
    try:
        said: str = cache.get(KEY, "")
    except RedisError:
        said = ""
    return mark_safe(said)  # noqa: S308  # by a template of ours, which has escaped what it was told
