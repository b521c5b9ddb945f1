"""An operator looks at the pages of an account, as its owner sees them, and changes nothing.

It begins with a reason, is on record and told to the account, and lasts half an hour. Nothing can
be sent meanwhile, and PostgreSQL takes no write of a page that is only looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts import audit, notices, operators
from accounts.audit import Action, Actor
from accounts.memberships import Membership
from accounts.models import Account, User
from accounts.operators import READS
from accounts.roles import Right, Role

SESSION_KEY = "viewing"
LASTS = 30 * 60  # seconds
HIDDEN = frozenset({Right.READ_PAYLOADS, Right.USE_PLAYGROUND})


@transaction.atomic
def begin(request: HttpRequest, account: Account, reason: str) -> None:
    """Show this session the pages of ``account`` from now on."""
    by = Actor.operator(request)
    request.session[SESSION_KEY] = {
        "account": account.pk,
        "reason": reason,
        "until": time.time() + LASTS,
    }
    notices.tell(account, "viewed", by=by.name, reason=reason, minutes=LASTS // 60)
    audit.record(account, Action.ACCOUNT_VIEWED, by=by, reason=reason)


def end(request: HttpRequest) -> int | None:
    """The account that was looked at; None if none was."""
    said = request.session.pop(SESSION_KEY, None)
    return said["account"] if said else None


def visit_of(request: HttpRequest) -> Membership | None:
    """What the visitor looks at in this session, outside the operators' room; never stored."""
    said = request.session.get(SESSION_KEY)
    if not said or request.path.startswith(reverse("admin:index")):
        return None
    account = Account.objects.filter(pk=said["account"], closed_at=None).first()
    if account is None or time.time() > said["until"] or not operators.is_operator(request):
        end(request)
        return None
    visit = Membership(pk=0, user=cast(User, request.user), account=account, role=Role.OWNER)
    visit.visiting_because, visit.withheld = said["reason"], HIDDEN
    return visit


def only_looking(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]
) -> HttpResponse:
    """The page, made in a transaction that cannot write; what would change something is refused."""
    if request.path in (reverse("accounts:viewing-end"), reverse("account_logout")):
        return get_response(request)
    if request.method not in READS:
        context = {"frame": "app.html", "exception": "You are only looking at this account."}
        return render(request, "403.html", context, status=403)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        return get_response(request)
