"""What was sent to an endpoint, what came back, and the way to send it again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import Actor
from accounts.guards import members_who_may
from accounts.middleware import AccountRequest
from accounts.roles import Right
from dashboard import endpoint_acts
from dashboard.members import part_wanted
from dashboard.webhook_forms import DeliveryFilterForm
from webhooks.models import Delivery, Endpoint
from webhooks.schedule import ATTEMPTS

PER_PAGE = 25


@require_safe
@members_who_may(Right.SEE)
def delivery(request: AccountRequest, pk: int) -> HttpResponse:
    """One delivery: the event as it is sent, and each attempt. The page asks again meanwhile."""
    found = _delivery(request, pk)
    context = {"delivery": found, "attempts": found.attempts.all(), "most": ATTEMPTS}
    template = "_delivery" if part_wanted(request) else "delivery"
    return render(request, f"webhooks/{template}.html", context)


@require_POST
@members_who_may(Right.MANAGE_WEBHOOKS)
def delivery_resend(request: AccountRequest, pk: int) -> HttpResponse:
    if endpoint_acts.send_again(_delivery(request, pk), by=Actor.of(request)):
        messages.success(request, "On its way again, with the same id.")
    else:
        messages.error(request, "It is being sent just now.")
    return redirect("dashboard:delivery", pk=pk)


def page_of_deliveries(request: AccountRequest, endpoint: Endpoint) -> dict[str, Any]:
    """Some deliveries, newest first, and the URL of those before; by their numbers, so that new
    ones move nothing.
    """
    form = DeliveryFilterForm(request.GET)
    found = endpoint.deliveries.select_related("event").filter(**form.narrowing).order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found[: PER_PAGE + 1])
    query = "".join(f"{name}={value}&" for name, value in form.narrowing.items())
    older = f"?{query}before={rows[PER_PAGE - 1].pk}#deliveries" if len(rows) > PER_PAGE else ""
    return {
        "deliveries": rows[:PER_PAGE],
        "older_url": older,
        "status": form.narrowing.get("status", ""),
        "statuses": Delivery.Status.choices,
    }


def _delivery(request: AccountRequest, pk: int) -> Delivery:
    mine = Delivery.objects.filter(endpoint__account=request.account)
    return get_object_or_404(mine.select_related("event", "endpoint"), pk=pk)
