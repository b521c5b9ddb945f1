"""The navigation, of whoever looks at the page."""

from django import template
from django.template import Context

from dashboard.destinations import NAVIGATION, Destination, open_to

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[Destination]:
    membership = context.get("membership")
    return open_to(membership.rights if membership else (), NAVIGATION)
