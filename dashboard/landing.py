"""The front door: what this is, what it costs, how to call it."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing import limits
from billing.models import Plan


@login_not_required
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    plans = list(Plan.objects.on_offer())
    names = [name for name in limits.NAMES if any(name in plan.limits for plan in plans)]
    columns = [limits.NAMES[name] for name in names]
    rows = [(plan, [plan.limits.get(name) for name in names]) for plan in plans]
    return render(request, "landing.html", {"columns": columns, "rows": rows})
