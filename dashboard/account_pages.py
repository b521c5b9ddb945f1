"""What an account needs of everybody else: a plan when it opens, all its data when it asks."""

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.audit import Action, Actor
from accounts.guards import members_who_may
from accounts.middleware import AccountRequest, choose
from accounts.reauthentication import freshly_confirmed
from accounts.roles import Right
from dashboard.account_export import archive, streamed
from dashboard.signup import open_account


@require_POST
@never_cache
def account_open(request: AccountRequest) -> HttpResponse:
    """A new account for somebody who belongs to none any more."""
    if not request.membership:
        choose(request, open_account(request.user))
    return redirect("dashboard:overview")


@require_POST
@members_who_may(Right.OWN)
@freshly_confirmed
def account_export(request: AccountRequest) -> HttpResponseBase:
    now = timezone.now()
    account = request.membership.account
    audit.record(account, Action.ACCOUNT_EXPORTED, by=Actor.of(request), about=account.name)
    answer = StreamingHttpResponse(streamed(archive(account, now)), content_type="application/zip")
    name = f"keyplex-account-{account.pk}-{now:%Y%m%d}.zip"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
