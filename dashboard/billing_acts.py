"""What members do about their plan: buy, change, cancel, keep, and go to Stripe's own pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps

import stripe
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.audit import Actor
from accounts.features import CHECKOUT
from accounts.guards import members_who_may
from accounts.middleware import AccountRequest
from accounts.roles import Right
from billing import checkout, limits, money, plan_changes
from billing.checkout import NotPossible, billing_page
from billing.models import Plan, Subscription
from billing.plan_changes import Declined, Stale
from billing.stripe_api import StripeAway
from dashboard.offers import LimitChange, Offer, changes_of
from dashboard.plan_state import day

log = logging.getLogger(__name__)
Act = Callable[..., HttpResponse]
page_with_form = require_http_methods(["GET", "HEAD", "POST"])
CARD = "payment_method_update"
RETRY_AFTER = 60  # seconds
NOBODY = "Nothing can be paid here: plans are given out by whoever runs this server."


class SeeOther(HttpResponseRedirect):
    status_code = 303


class ShownForm(forms.Form):
    """What an upgrade was said to cost, and the moment at which that was reckoned."""

    due = forms.IntegerField(min_value=0)
    proration_date = forms.IntegerField(min_value=0)


def payers_only(act: Act) -> Act:
    """For those who may; what stands in the way is said, and nothing is ever half done."""

    @members_who_may(Right.MANAGE_BILLING)
    @wraps(act)
    def answering(request: AccountRequest, **found: object) -> HttpResponse:
        try:
            if settings.STRIPE.mode == "none":
                raise NotPossible(NOBODY)
            return act(request, **found)
        except NotPossible as error:
            messages.error(request, str(error))
            return redirect("dashboard:billing")
        except (StripeAway, stripe.StripeError):
            log.warning("Stripe did not do what %s asks for", request.path, exc_info=True)
            context = {"may_have_paid": "due" in request.POST}
            answer = render(request, "billing/away.html", context, status=503)
            answer["Retry-After"] = str(RETRY_AFTER)
            return answer

    return answering


@page_with_form
@payers_only
def plan_change(request: AccountRequest, slug: str) -> HttpResponse:
    """Buy a plan, or see what changing to it means and then do it."""
    plan = get_object_or_404(Plan.objects.for_sale(), slug=slug)
    subscription = _subscription(request)
    is_greater = plan.position > subscription.plan.position
    if CHECKOUT.is_off and (is_greater or not subscription.is_running):
        raise NotPossible(CHECKOUT.sentence)
    if subscription.is_running:
        return (_upgrade if is_greater else _downgrade)(request, subscription, plan)
    if request.method != "POST":
        return redirect("dashboard:billing")
    by = Actor.of(request)
    return SeeOther(checkout.begin(request.account, plan, back=billing_page(), by=by))


def _upgrade(request: AccountRequest, subscription: Subscription, plan: Plan) -> HttpResponse:
    shown = ShownForm(request.POST)
    if request.method != "POST" or not shown.is_valid():
        return _offered(request, subscription, plan)
    agreed = shown.cleaned_data["due"], shown.cleaned_data["proration_date"]
    try:
        plan_changes.upgrade(request.account, plan, shown=agreed, by=Actor.of(request))
    except Stale as error:
        return _offered(request, subscription, plan, stale=str(error), status=409)
    except Declined as error:
        return _offered(request, subscription, plan, declined=str(error), status=402)
    messages.success(request, f"{plan} holds from now on. Thank you.")
    return redirect("dashboard:billing")


def _offered(
    request: AccountRequest,
    subscription: Subscription,
    plan: Plan,
    *,
    status: int = 200,
    **said: str,
) -> HttpResponse:
    """What an upgrade costs now, to the cent."""
    preview = plan_changes.preview(request.account, plan)
    context: dict[str, object] = {
        "preview": preview,
        "balance": money.written(-preview.from_balance, preview.price.currency),
        "offer": Offer(plan),
        "subscription": subscription,
        "limits": _limits(subscription, plan),
        "card": CARD,
        **said,
    }
    return render(request, "billing/upgrade.html", context, status=status)


def _downgrade(request: AccountRequest, subscription: Subscription, plan: Plan) -> HttpResponse:
    if "confirmed" in request.POST:
        plan_changes.downgrade(request.account, plan, by=Actor.of(request))
        when = day(subscription.current_period_end)
        messages.success(request, f"{plan} follows on {when}. Until then nothing changes.")
        return redirect("dashboard:billing")
    context = {
        "offer": Offer(plan),
        "subscription": subscription,
        "limits": _limits(subscription, plan),
    }
    return render(request, "billing/downgrade.html", context)


@page_with_form
@payers_only
def plan_cancel(request: AccountRequest) -> HttpResponse:
    subscription = _subscription(request)
    if request.method != "POST":
        if not subscription.is_running or subscription.cancel_at_period_end:
            return redirect("dashboard:billing")
        context = {"subscription": subscription, "follows": Plan.objects.free_for_good()}
        return render(request, "billing/cancel.html", context)
    plan_changes.cancel(request.account, by=Actor.of(request))
    when = day(subscription.current_period_end)
    messages.success(request, f"Cancelled. It works until {when}, and nothing more is charged.")
    return redirect("dashboard:billing")


@require_POST
@payers_only
def plan_resume(request: AccountRequest) -> HttpResponse:
    """Take a cancellation back."""
    plan_changes.resume(request.account, by=Actor.of(request))
    messages.success(request, "Your plan goes on, as if it had never been cancelled.")
    return redirect("dashboard:billing")


@require_POST
@payers_only
def plan_keep(request: AccountRequest) -> HttpResponse:
    """Take the choice of a smaller plan back."""
    plan_changes.keep(request.account, by=Actor.of(request))
    messages.success(request, "Your plan goes on; the smaller one does not follow.")
    return redirect("dashboard:billing")


@require_POST
@payers_only
def portal(request: AccountRequest) -> HttpResponse:
    """To the cards, addresses and tax ids at Stripe."""
    flow = CARD if request.POST.get("flow") == CARD else ""
    return SeeOther(checkout.portal(request.account, back=billing_page(), flow=flow))


def _subscription(request: AccountRequest) -> Subscription:
    subscription = (
        Subscription.objects.select_related("plan", "next_plan", "price")
        .filter(account=request.account)
        .first()
    )
    if subscription is None:
        raise NotPossible("This account has no plan that could be changed.")
    return subscription


def _limits(subscription: Subscription, plan: Plan) -> list[LimitChange]:
    """What holds now beside what will: that which was agreed with the account stays."""
    agreed = subscription.limit_overrides
    return changes_of(subscription.limits, limits.parse({**plan.limits, **agreed}))
