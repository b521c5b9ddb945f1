"""Whose pages these are: ``request.account``, and as whom: ``request.membership``."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails

from accounts.models import Account, Membership, User

SESSION_KEY = "account"


class AccountRequest(HttpRequest):
    """A request as it reaches the page of a member."""

    user: User
    account: Account
    membership: Membership
    htmx: HtmxDetails


class AccountMiddleware:
    """Sets ``request.account`` to the chosen account, checked against the membership.

    A page starts every query from it, so that whatever is found belongs to the visitor. Both it
    and ``request.membership`` are None for a visitor without membership.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        membership = SimpleLazyObject(lambda: membership_of(request))
        account = SimpleLazyObject(lambda: membership.account if membership else None)
        request.membership = membership  # type: ignore[attr-defined]
        request.account = account  # type: ignore[attr-defined]
        return self.get_response(request)


def membership_of(request: HttpRequest) -> Membership | None:
    """What the visitor is in the account chosen in this session, else in their first one."""
    if not isinstance(request.user, User):
        return None
    mine = request.user.memberships.select_related("account")
    chosen = request.session.get(SESSION_KEY)
    return (mine.filter(account=chosen).first() if chosen else None) or mine.first()
