"""The API Keys pages: which keys exist, what each may do, a new one, another one, an end to one."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import key_counts, sessions
from accounts.audit import Action, Actor, record_for_user
from accounts.forms import (
    FreezeForm,
    KeyForm,
    LeakPolicyForm,
    NewKeyForm,
    RevokeForm,
    RotateForm,
    initial_of,
)
from accounts.guards import members_who_may
from accounts.key_rules import Reason
from accounts.middleware import AccountRequest
from accounts.models import APIKey
from accounts.reauthentication import freshly_confirmed
from accounts.roles import Right

page_with_form = require_http_methods(["GET", "HEAD", "POST"])
keepers_of_keys_only = members_who_may(Right.MANAGE_KEYS)
members_only = members_who_may(Right.SEE)


@require_safe
@members_only
def api_key_list(request: AccountRequest) -> HttpResponse:
    return _render_keys(request)


@require_safe
@members_only
def api_key_detail(request: AccountRequest, pk: int) -> HttpResponse:
    """Everything about one key."""
    api_key = get_object_or_404(request.account.api_keys.select_related("created_by"), pk=pk)
    return _render_key(request, api_key, KeyForm(initial=initial_of(api_key)))


@page_with_form
@keepers_of_keys_only
@freshly_confirmed
def api_key_create(request: AccountRequest) -> HttpResponse:
    form = NewKeyForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _render_keys(request, form=form, status=422 if form.is_bound else 200)
    if not form.is_new(request.user.pk):
        messages.warning(
            request, "That form was sent already and made a key, which is shown only once."
        )
        return redirect("accounts:api-key-list")
    api_key, plaintext = APIKey.objects.issue(
        request.account,
        by=Actor.of(request),
        honey=form.cleaned_data["honey"],
        **form.settings,
    )
    return _render_keys(request, new_key=api_key, plaintext=plaintext)


@page_with_form
@keepers_of_keys_only
@freshly_confirmed
def api_key_rotate(request: AccountRequest, pk: int) -> HttpResponse:
    """A new key in the place of one in use, shown once."""
    api_key = get_object_or_404(request.account.api_keys, pk=pk)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"api_key": api_key, "form": form}
        status = 422 if form.is_bound else 200
        return render(request, "accounts/api_key_rotate.html", context, status=status)
    try:
        successor, plaintext = api_key.rotate(by=Actor.of(request), until=form.until)
    except ValueError:
        told = "is not in use or has a successor already; a key is shown only once."
        messages.error(request, f"“{api_key.name}” {told}")
        return redirect("accounts:api-key", pk=pk)
    return _render_keys(request, new_key=successor, plaintext=plaintext, replaced=api_key)


@require_POST
@keepers_of_keys_only
def api_key_change(request: AccountRequest, pk: int) -> HttpResponse:
    api_key = get_object_or_404(request.account.api_keys.filter(revoked_at=None), pk=pk)
    form = KeyForm(request.POST, initial=initial_of(api_key))
    if not form.is_valid():
        return _render_key(request, api_key, form, status=422)
    chosen = form.settings
    if "expires_at" not in form.changed_data:
        chosen["expires_at"] = api_key.expires_at  # the form shows it without its seconds
    api_key.change(by=Actor.of(request), **chosen)
    messages.success(request, f"“{api_key.name}” is changed, in every process.")
    return redirect("accounts:api-key", pk=pk)


@require_POST
@keepers_of_keys_only
def api_key_deactivate(request: AccountRequest, pk: int) -> HttpResponse:
    api_key = get_object_or_404(request.account.api_keys, pk=pk)
    api_key.deactivate(by=Actor.of(request))
    messages.success(request, f"“{api_key.name}” is refused until you reactivate it.")
    return redirect("accounts:api-key", pk=pk)


@require_POST
@keepers_of_keys_only
def api_key_reactivate(request: AccountRequest, pk: int) -> HttpResponse:
    api_key = get_object_or_404(request.account.api_keys, pk=pk)
    api_key.reactivate(by=Actor.of(request))
    messages.success(request, f"“{api_key.name}” works again within a few seconds.")
    return redirect("accounts:api-key", pk=pk)


@page_with_form
@keepers_of_keys_only
def api_key_revoke(request: AccountRequest, pk: int) -> HttpResponse:
    api_key = get_object_or_404(request.account.api_keys, pk=pk)
    form = RevokeForm({"reason": Reason.USER} | request.POST.dict() if request.POST else None)
    if request.method == "POST":
        reason = Reason(form.cleaned_data["reason"]) if form.is_valid() else Reason.USER
        api_key.revoke(by=Actor.of(request), reason=reason)
        messages.success(request, f"“{api_key.name}” is revoked. Nothing can use it any more.")
        return redirect("accounts:api-key-list")
    return render(request, "accounts/api_key_revoke.html", {"api_key": api_key, "form": form})


@page_with_form
@keepers_of_keys_only
def api_keys_freeze(request: AccountRequest) -> HttpResponse:
    """Refuse every key of the account, until somebody thaws them; sign everybody out, if asked to.

    Who may not manage members signs nobody out.
    """
    others = request.account.members.exclude(pk=request.user.pk).count()
    form = FreezeForm(request.POST if request.method == "POST" else None, others=others)
    if form.is_valid():
        freeze(request, sign_out=form.cleaned_data["sign_out"])  # every page says so from now on
        return redirect("accounts:api-key-list")
    usable = request.account.api_keys.usable()
    return render(request, "accounts/api_keys_freeze.html", {"usable": usable, "form": form})


@transaction.atomic
def freeze(request: AccountRequest, *, sign_out: bool) -> None:
    by = Actor.of(request)
    request.account.freeze(by=by)
    if sign_out and request.membership.may(Right.MANAGE_MEMBERS):
        for member in request.account.members.exclude(pk=request.user.pk):
            sessions.end_others(request, member)
            record_for_user(member, Action.SESSIONS_ENDED, by=by, about=member.email)


@require_POST
@keepers_of_keys_only
def api_keys_thaw(request: AccountRequest) -> HttpResponse:
    request.account.thaw(by=Actor.of(request))
    messages.success(request, "Every key is again what it was before.")
    return redirect("accounts:api-key-list")


@require_POST
@keepers_of_keys_only
def leak_policy_change(request: AccountRequest) -> HttpResponse:
    form = LeakPolicyForm(request.POST)
    if not form.is_valid():
        return _render_keys(request, leak_policy=form, status=422)
    request.account.choose_leak_policy(form.cleaned_data["leak_policy"], by=Actor.of(request))
    messages.success(request, "Saved.")
    return redirect("accounts:api-key-list")


def _render_keys(request: AccountRequest, *, status: int = 200, **context: object) -> HttpResponse:
    api_keys = request.account.api_keys.select_related("successor")
    context["api_keys"] = found = list(api_keys.prefetch_related("predecessors"))
    context["keys"] = key_counts.count(request.account, found)
    initial = {"leak_policy": request.account.leak_policy}
    context.setdefault("leak_policy", LeakPolicyForm(initial=initial))
    return render(request, "accounts/api_keys.html", context, status=status)


def _render_key(
    request: AccountRequest, api_key: APIKey, form: KeyForm, *, status: int = 200
) -> HttpResponse:
    context = {"api_key": api_key, "form": form}
    return render(request, "accounts/api_key.html", context, status=status)
