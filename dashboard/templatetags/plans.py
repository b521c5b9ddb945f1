"""What pages say of plans: their limits in words, and how the account's own one stands."""

from collections.abc import Mapping
from decimal import Decimal

from django import template

from billing import limits
from billing.limits import Limit
from billing.models import Subscription
from billing.unserved import Unserved
from billing.unserved import unserved as why_unserved
from dashboard.offers import in_words
from dashboard.plan_state import PlanState, state_of

register = template.Library()


@register.filter
def limit_in_words(limit: Limit) -> str:
    return in_words(limit)


@register.filter
def amounts_in_words(amounts: Mapping[str, int]) -> str:
    """Several limits, as a plan or an override holds them."""
    return ", ".join(in_words(limit) for limit in limits.parse(amounts))


@register.filter
def cost(dollars: Decimal) -> str:
    """What some use would have cost; only nothing is $0.00.

    >>> cost(Decimal("1234.567")), cost(Decimal("0.0012")), cost(Decimal(0))
    ('$1,234.57', 'under $0.01', '$0.00')
    """
    return "under $0.01" if 0 < dollars < Decimal("0.01") else f"${dollars:,.2f}"


@register.filter
def plan_state(subscription: Subscription) -> PlanState:
    return state_of(subscription)


@register.filter
def unserved(subscription: Subscription) -> Unserved | None:
    """Why its account is refused, if it is."""
    return why_unserved(subscription)
