"""What an account needs of everybody else: a plan when it opens, all its data when it asks."""

from django.db import transaction
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
from dashboard.signup import open_account, trial_decided


@require_POST
@never_cache
def account_open(request: AccountRequest) -> HttpResponse:
    """A new account for somebody who belongs to none any more; operators answer for themselves."""
    if not request.membership:
        operator = Actor.operator(request) if request.user.is_staff else None
        with transaction.atomic():
            account = open_account(request.user, vouched_for_by=operator)
            with trial_decided(request, request.user):
                choose(request, account)
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
