"""The front door: what this is, what it costs, how to call it."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.models import Plan
from dashboard.offers import compare


@login_not_required
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    comparison = compare(list(Plan.objects.on_offer()))
    return render(request, "landing.html", {"comparison": comparison})
