"""What people do about their own sign-in, put on record where allauth does it.

Each page of allauth runs in one transaction, and what it did is on record in the same one.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver

from accounts.audit import Action, Actor, record_for_user
from accounts.models import User

# What allauth thinks worth a mail to its user is worth an entry; it sends none if told so.
TOLD_BY_MAIL = {
    "account/email/password_changed": Action.PASSWORD_CHANGED,
    "account/email/password_set": Action.PASSWORD_CHANGED,
    "account/email/password_reset": Action.PASSWORD_RESET,
    "account/email/email_changed": Action.EMAIL_CHANGED,
    "account/email/email_deleted": Action.EMAIL_REMOVED,
    "mfa/email/totp_activated": Action.TOTP_ACTIVATED,
    "mfa/email/totp_deactivated": Action.TOTP_DEACTIVATED,
    "mfa/email/webauthn_added": Action.PASSKEY_ADDED,
    "mfa/email/webauthn_removed": Action.PASSKEY_REMOVED,
    "mfa/email/recovery_codes_generated": Action.RECOVERY_CODES_MADE,
}
FAILURES_EVERY = 60  # seconds, of one user from one address: a guesser shall not fill the log


class RecordingAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's own way of doing things, with an entry for each thing done."""

    request: HttpRequest

    def login(self, request: HttpRequest, user: User) -> None:
        methods = methods_of(get_authentication_records(request, user))
        super().login(request, user)
        by = Actor.of(request, user)
        record_for_user(user, Action.USER_SIGNED_IN, by=by, about=user.email, methods=methods)

    def logout(self, request: HttpRequest) -> None:
        user, by = request.user, Actor.of(request)
        super().logout(request)
        if isinstance(user, User):
            record_for_user(user, Action.USER_SIGNED_OUT, by=by, about=user.email)

    def authentication_failed(self, request: HttpRequest, **credentials: str) -> None:
        """Of a user whom the address names; whoever tries another one leaves no entry."""
        super().authentication_failed(request, **credentials)
        for user in filter_users_by_email(credentials.get("email", "")):
            record_failure(request, user)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        user, email = email_address.user, email_address.email
        is_new = email_address.pk is None
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed:
            for action in [Action.EMAIL_ADDED] * is_new + [Action.EMAIL_VERIFIED]:
                record_for_user(user, action, by=Actor.of(request, user), about=email)
        return confirmed

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, object] | None = None,
        email: str | None = None,
    ) -> None:
        super().send_notification_mail(template_prefix, user, context, email)
        if action := TOLD_BY_MAIL.get(template_prefix):
            said, by = context or {}, Actor.of(self.request, user)
            about = said.get("to_email") or said.get("deleted_email") or user.email
            before = {"before": str(said["from_email"])} if "from_email" in said else {}
            record_for_user(user, action, by=by, about=str(about), **before)


def record_failure(request: HttpRequest, user: User) -> None:
    """Somebody could not show that they are ``user``; noted once in a while from one address."""
    by = Actor.of(request)
    if cache.add(f"sign-in-failed:{user.pk}:{by.ip}", 1, FAILURES_EVERY):
        record_for_user(user, Action.USER_SIGN_IN_FAILED, by=by, about=user.email)


def methods_of(steps: Iterable[dict[str, str]]) -> list[str]:
    """How somebody showed who they are: ``password``, ``mfa totp``."""
    return [f"{step['method']} {step.get('type', '')}".strip() for step in steps]


def on_record(urlconf: str) -> list[URLPattern | URLResolver]:
    """The addresses of allauth in ``urlconf``, their pages each whole or not at all."""
    return [_recorded(entry) for entry in import_module(urlconf).urlpatterns]


def _recorded(entry: URLPattern | URLResolver) -> URLPattern | URLResolver:
    if isinstance(entry, URLResolver):
        inner = [_recorded(each) for each in entry.url_patterns]
        return URLResolver(
            entry.pattern, inner, entry.default_kwargs, entry.app_name, entry.namespace
        )
    page = _page_on_record(entry.callback)
    return URLPattern(entry.pattern, page, entry.default_args, entry.name)


def _page_on_record(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(page)
    def recorded(request: HttpRequest, *args: object, **found: object) -> HttpResponse:
        with transaction.atomic():
            before = len(confirmations(request))
            response = page(request, *args, **found)
            user, methods = request.user, methods_of(confirmations(request)[before:])
            if isinstance(user, User) and methods:
                action, by = Action.USER_REAUTHENTICATED, Actor.of(request)
                record_for_user(user, action, by=by, about=user.email, methods=methods)
        return response

    return recorded


def confirmations(request: HttpRequest) -> list[dict[str, str]]:
    """How often the visitor has shown once more who they are, in this session, and with what."""
    if not isinstance(request.user, User):
        return []
    steps = get_authentication_records(request, request.user)
    return [step for step in steps if step.get("reauthenticated")]
