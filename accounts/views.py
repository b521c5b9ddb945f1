"""The API Keys page: which keys exist, what they may do, a new one, an end to one."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import APIKeyForm
from accounts.middleware import AccountRequest
from accounts.models import APIKey

View = Callable[..., HttpResponse]


def keepers_of_keys_only(view: View) -> View:
    """Refuse a member whose role may only look at keys, before anything is looked up."""

    @wraps(view)
    def guarded(request: AccountRequest, **found: int) -> HttpResponse:
        if not request.membership or not request.membership.may_manage_keys:
            raise PermissionDenied("Only an owner, admin or developer may create or revoke keys.")
        return view(request, **found)

    return guarded


@require_safe
@never_cache
def api_key_list(request: AccountRequest) -> HttpResponse:
    if not request.membership:
        raise PermissionDenied("You do not belong to an account.")
    return _render_keys(request)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache  # the answer may hold a secret: no browser and no proxy may keep it
@keepers_of_keys_only
def api_key_create(request: AccountRequest) -> HttpResponse:
    form = APIKeyForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _render_keys(request, form=form, status=422 if form.is_bound else 200)
    api_key, plaintext = APIKey.objects.issue(
        request.account, user=request.user, **form.cleaned_data
    )
    return _render_keys(request, new_key=api_key, plaintext=plaintext)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@keepers_of_keys_only
def api_key_revoke(request: AccountRequest, pk: int) -> HttpResponse:
    api_key = get_object_or_404(request.account.api_keys, pk=pk)
    if request.method == "POST":
        api_key.revoke()
        messages.success(request, f"“{api_key.name}” is revoked. Nothing can use it any more.")
        return redirect("accounts:api-key-list")
    return render(request, "accounts/api_key_revoke.html", {"api_key": api_key})


def _render_keys(request: AccountRequest, *, status: int = 200, **context: object) -> HttpResponse:
    context["api_keys"] = request.account.api_keys.select_related("created_by")
    return render(request, "accounts/api_keys.html", context, status=status)
