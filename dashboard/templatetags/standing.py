"""The plan and its headroom at the foot of the navigation, on whichever page."""

from django import template
from django.template import Context

from dashboard.standing import Standing, standing_of

register = template.Library()


@register.simple_tag(takes_context=True)
def standing(context: Context) -> Standing | None:
    """What the page knows already, else a look at it; None for a visitor without account."""
    known: Standing | None = context.get("standing")
    account = getattr(context.get("request"), "account", None)
    return known or (standing_of(account) if account else None)
