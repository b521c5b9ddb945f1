"""The page behind the link of an invitation, for people with a user here and people without."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import Actor
from accounts.middleware import AccountRequest, choose
from accounts.models import Invitation


@login_not_required
@require_safe
@never_cache
def invitation(request: AccountRequest, token: str) -> HttpResponse:
    """What is offered. A wrong, used, expired or withdrawn link all look alike."""
    found = Invitation.objects.find(token)
    return render(
        request,
        "team/invitation.html",
        {"invitation": found, "token": token},
        status=200 if found else 404,
    )


@require_POST
@never_cache
def invitation_accept(request: AccountRequest, token: str) -> HttpResponse:
    found = Invitation.objects.find(token)
    if not found:
        return render(request, "team/invitation.html", {"invitation": None}, status=404)
    membership = found.accept(request.user, by=Actor.of(request))
    choose(request, membership.account)
    messages.success(request, f"You are {membership.role} of “{membership.account}” now.")
    return redirect("dashboard:overview")
