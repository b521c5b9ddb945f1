"""Where an operator stops looking at an account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import viewing


@require_POST
def viewing_end(request: HttpRequest) -> HttpResponse:
    """Back to the account in the operators' room; to nothing for who looked at none."""
    looked_at = viewing.end(request)
    if looked_at is None:
        return redirect("dashboard:overview")
    return redirect("admin:accounts_account_change", looked_at)
