"""Where help is found, and the forms by which anybody asks for it."""

import json

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from redis import RedisError

from accounts.middleware import AccountRequest
from accounts.models import User
from dashboard.status.now import as_text
from dashboard.status.parts import State
from dashboard.support.forms import AskForm, ContactForm, SalesForm
from dashboard.support.requests import SupportRequest

TOO_OFTEN = (
    "You have written to us several times already. Wait an hour before the next one; what you "
    "wrote is still here, so keep a copy."
)
HERE = "{} is here. We have written to {}, and answer there."


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """What to look at first, and whether something is broken right now."""
    return render(request, "support/help.html", {"now": _now()})


def _now() -> dict[str, object]:
    """What the status page says, in short; also that nothing can be said just now."""
    try:
        told = json.loads(as_text())
    except (OperationalError, InterfaceError):
        return {"is_bad": True, "sentence": "A part of this server does not answer."}
    return {"is_bad": State(told["status"]).is_bad, "sentence": told["description"]}


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: AccountRequest) -> HttpResponse:
    return _ask(request, ContactForm, "support/contact.html")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sales(request: AccountRequest) -> HttpResponse:
    return _ask(request, SalesForm, "support/sales.html")


def _ask(request: AccountRequest, form_class: type[AskForm], template: str) -> HttpResponse:
    """The form, or what comes of it: for who is signed in a page, for others mail."""
    sent = request.POST if request.method == "POST" else None
    form = form_class(sent, initial=form_class.at_first(request))
    status = 422 if form.is_bound else 200
    if form.is_valid():
        if _may_ask(request, form.cleaned_data["email"]):
            return _asked(request, form)
        form.add_error(None, TOO_OFTEN)
        status = 429
    return render(request, template, {"form": form}, status=status)


def _asked(request: AccountRequest, form: AskForm) -> HttpResponse:
    account = request.membership.account if request.membership else None
    author = request.user if isinstance(request.user, User) else None
    asked: SupportRequest = form.send(author, account)
    messages.success(request, HERE.format(asked.number, asked.email))
    return redirect("support:request", asked.number) if author else redirect("support:help")


def _may_ask(request: HttpRequest, email: str) -> bool:
    """Whether it is not too often. While Redis is away it never is: that is when people write."""
    key = f"user {request.user.pk}" if request.user.is_authenticated else email
    try:
        return bool(ratelimit.consume(request, action="support", key=key))
    except RedisError:
        return True
