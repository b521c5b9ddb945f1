"""The Pricing page: what each plan costs and allows, and what happens when."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.middleware import AccountRequest
from billing.models import Plan, Subscription
from dashboard.offers import compare


@login_not_required
@require_safe
def pricing(request: AccountRequest) -> HttpResponse:
    """For anybody; a member sees which of the plans is theirs."""
    plans = list(Plan.objects.on_offer())
    context = {
        "comparison": compare(plans),
        "own_plan": _plan_of(request),
        "is_sold": settings.STRIPE.mode != "none" and any(plan.is_for_sale for plan in plans),
        "grace_days": settings.GRACE_DAYS,
        "stripe_mode": settings.STRIPE.mode,
    }
    return render(request, "billing/pricing.html", context)


def _plan_of(request: AccountRequest) -> Plan | None:
    """The plan that the visitor's account is served on."""
    if not request.account:
        return None
    subscription = (
        Subscription.objects.select_related("plan").filter(account=request.account.pk).first()
    )
    return subscription.plan if subscription and subscription.is_served else None
