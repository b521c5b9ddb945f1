"""Whose pages these are: ``request.account``, and as whom: ``request.membership``."""

from collections.abc import Callable, Iterable

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.functional import SimpleLazyObject
from django_htmx.middleware import HtmxDetails

from accounts.models import Account, Membership, User
from accounts.viewing import only_looking, visit_of

SESSION_KEY = "account"
STRAY: dict[type[Exception], int] = {PermissionDenied: 403, Http404: 404}


class AccountRequest(HttpRequest):
    """A request as it reaches the page of a member."""

    user: User
    account: Account
    membership: Membership
    memberships: list[Membership]
    htmx: HtmxDetails


class AccountMiddleware:
    """Sets ``request.account`` to the chosen account, checked against the membership.

    A page starts every query from it, so that whatever is found belongs to the visitor. Both it
    and ``request.membership`` are None for a visitor without membership.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if visit := visit_of(request):
            request.memberships, request.membership = [visit], visit  # type: ignore[attr-defined]
            request.account = visit.account  # type: ignore[attr-defined]
            return only_looking(request, self.get_response)
        memberships: Iterable[Membership] = SimpleLazyObject(lambda: memberships_of(request))
        membership = SimpleLazyObject(lambda: chosen_from(memberships, request))
        account = SimpleLazyObject(lambda: membership.account if membership else None)
        request.memberships = memberships  # type: ignore[attr-defined]
        request.membership = membership  # type: ignore[attr-defined]
        request.account = account  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_exception(self, request: AccountRequest, error: Exception) -> HttpResponse | None:
        """What a member may not see or does not find, within the frame of their account.

        Here, because Django's handlers of errors run in threads of their own, and nobody would
        close the connections to the database that the frame needs.
        """
        status = next((STRAY[kind] for kind in STRAY if isinstance(error, kind)), None)
        if status is None or not request.membership:
            return None
        context = {"frame": "app.html", "exception": str(error)}
        response = render(request, f"{status}.html", context, status=status)
        add_never_cache_headers(response)
        return response


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Everything that the visitor is, oldest first."""
    if not isinstance(request.user, User):
        return []
    return list(request.user.memberships.select_related("account"))


def chosen_from(memberships: Iterable[Membership], request: HttpRequest) -> Membership | None:
    """What the visitor is in the account chosen in this session, else in their first one."""
    all_of_them = list(memberships)
    chosen = request.session.get(SESSION_KEY) if all_of_them else None
    mine = [membership for membership in all_of_them if membership.account_id == chosen]
    return next(iter(mine or all_of_them), None)


def choose(request: HttpRequest, account: Account) -> None:
    """Show the pages of ``account`` in this session from now on."""
    request.session[SESSION_KEY] = account.pk
