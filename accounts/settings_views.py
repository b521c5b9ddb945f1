"""The Settings pages: who you are, how you sign in, what the account is called, how it ends."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import sessions, user_agents
from accounts.audit import Action, Actor, record_for_user
from accounts.guards import members_who_may
from accounts.middleware import AccountRequest, choose
from accounts.models import COUNTDOWN, Account
from accounts.reauthentication import freshly_confirmed
from accounts.roles import Right
from accounts.settings_forms import AccountForm, ConfirmForm, ProfileForm

PAGE_OR_POST = require_http_methods(["GET", "HEAD", "POST"])


@PAGE_OR_POST
@never_cache
def profile(request: AccountRequest) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = ProfileForm(sent, initial={"name": request.user.first_name})
    if form.is_valid():
        request.user.first_name = form.cleaned_data["name"]
        request.user.save(update_fields=["first_name"])
        messages.success(request, "Saved.")
        return redirect("accounts:profile")
    status = 422 if form.is_bound else 200
    return render(request, "settings/profile.html", {"form": form}, status=status)


@require_safe
@never_cache
def security(request: AccountRequest) -> HttpResponse:
    mine = Authenticator.objects.filter(user=request.user).order_by("pk")
    by_type: dict[str, list[Authenticator]] = {kind: [] for kind in Authenticator.Type.values}
    for authenticator in mine:
        by_type[authenticator.type].append(authenticator)
    codes = by_type["recovery_codes"]
    context = {
        "totp": by_type["totp"],
        "passkeys": by_type["webauthn"],
        "unused_codes": len(codes[0].wrap().get_unused_codes()) if codes else None,
        "sessions": [
            (session, user_agents.in_words(session.user_agent))
            for session in sessions.sessions_of(request.user)
        ],
        "here": request.session.session_key,
    }
    return render(request, "settings/security.html", context)


@require_POST
@transaction.atomic
def session_end(request: AccountRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    sessions.end(UserSession.objects.filter(pk=session.pk))
    by, about = Actor.of(request), str(session.ip)
    record_for_user(request.user, Action.SESSION_ENDED, by=by, about=about)
    messages.success(request, "That session has ended.")
    return redirect("accounts:security")


@require_POST
@transaction.atomic
def sessions_end(request: AccountRequest) -> HttpResponse:
    sessions.end_others(request, request.user)
    by, about = Actor.of(request), request.user.email
    record_for_user(request.user, Action.SESSIONS_ENDED, by=by, about=about)
    messages.success(request, "Every other session has ended.")
    return redirect("accounts:security")


@PAGE_OR_POST
@members_who_may(Right.SEE)
def account(request: AccountRequest) -> HttpResponse:
    if request.method == "POST":
        return account_change(request)
    return _render_account(request, AccountForm.of(request.account))


@members_who_may(Right.CHANGE_SETTINGS)
def account_change(request: AccountRequest) -> HttpResponse:
    form = AccountForm(request.POST)
    if not form.is_valid():
        return _render_account(request, form, status=422)
    form.apply(request.account, by=Actor.of(request))
    messages.success(request, "Saved.")
    return redirect("accounts:account")


@require_POST
def account_switch(request: AccountRequest) -> HttpResponse:
    """Show another account of the visitor's; one of others is as unknown as none."""
    wanted = request.POST.get("account", "")
    pk = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else 0
    choose(request, get_object_or_404(Account, pk=pk, memberships__user=request.user))
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe and back.startswith("/") else "dashboard:overview")


@require_safe
@members_who_may(Right.SEE)
def danger(request: AccountRequest) -> HttpResponse:
    return render(request, "settings/danger.html", {"days": COUNTDOWN.days})


@PAGE_OR_POST
@members_who_may(Right.OWN)
@freshly_confirmed
def account_delete(request: AccountRequest) -> HttpResponse:
    """Begin the countdown, once the name was typed."""
    form = ConfirmForm(request.account.name, request.POST if request.method == "POST" else None)
    if form.is_valid():
        request.account.schedule_deletion(by=Actor.of(request))
        return redirect("accounts:danger")
    context = {"form": form, "days": COUNTDOWN.days}
    status = 422 if form.is_bound else 200
    return render(request, "settings/account_delete.html", context, status=status)


@require_POST
@members_who_may(Right.OWN)
def account_keep(request: AccountRequest) -> HttpResponse:
    request.account.call_off_deletion(by=Actor.of(request))
    messages.success(request, f"“{request.account}” stays.")
    return redirect("accounts:danger")


@PAGE_OR_POST
@never_cache
@freshly_confirmed
def user_delete(request: AccountRequest) -> HttpResponse:
    """The end of a user who owns nothing any more."""
    owned = [membership.account for membership in request.memberships if membership.is_owner]
    form = ConfirmForm(request.user.email, request.POST if request.method == "POST" else None)
    if form.is_valid() and not owned:
        user = request.user
        user.end(by=Actor.of(request))
        logout(request)
        return redirect("landing")
    context = {"form": form, "owned": owned}
    status = 422 if form.is_bound else 200
    return render(request, "settings/user_delete.html", context, status=status)


def _render_account(
    request: AccountRequest, form: AccountForm, *, status: int = 200
) -> HttpResponse:
    return render(request, "settings/account.html", {"form": form}, status=status)
