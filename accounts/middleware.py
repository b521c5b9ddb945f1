"""Whose pages these are: ``request.account``."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.models import Account, User

SESSION_KEY = "account"


class AccountMiddleware:
    """Sets ``request.account`` to the chosen account, checked against the membership.

    A page starts every query from it, so that whatever is found belongs to the visitor. It is
    None for a visitor without membership.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.account = SimpleLazyObject(lambda: account_of(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def account_of(request: HttpRequest) -> Account | None:
    """The account chosen in this session, else the visitor's first."""
    if not isinstance(request.user, User):
        return None
    mine = Account.objects.filter(memberships__user=request.user)
    chosen = request.session.get(SESSION_KEY)
    return (mine.filter(pk=chosen).first() if chosen else None) or mine.first()
