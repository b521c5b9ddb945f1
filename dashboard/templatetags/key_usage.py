"""What the pages about keys tell of their use, and of their limits: accounts know nothing of it."""

from typing import Any

from django import template
from django.utils import timezone

from accounts.models import Account, APIKey
from dashboard.key_limits import LimitsForm
from usage import reports
from usage.reports import Totals

register = template.Library()


@register.simple_tag
def used_today(account: Account) -> dict[int, Totals]:
    """By the pk of each key that was used on this UTC day."""
    now = timezone.now()
    return reports.by_key(account.pk, now.replace(hour=0, minute=0, second=0, microsecond=0), now)


@register.filter
def of_key(totals: dict[int, Totals], api_key: APIKey) -> Totals:
    return totals.get(api_key.pk, Totals())


@register.simple_tag
def calls_since_rotation(api_key: APIKey) -> int:
    """How often a key was still used since another one has taken its place."""
    if api_key.rotated_at is None:
        return 0
    return reports.calls_since(api_key.account_id, api_key.pk, api_key.rotated_at)


@register.inclusion_tag("dashboard/_key_limits.html", takes_context=True)
def key_limits(context: template.Context, api_key: APIKey) -> dict[str, Any]:
    """The limits of a key, as a form for those who may change them."""
    return {
        "api_key": api_key,
        "form": LimitsForm(initial=api_key.limits),
        "membership": context["membership"],
        "csrf_token": context["csrf_token"],
    }
