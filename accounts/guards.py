"""What stands before a view of an account: no membership, or not the right, and nothing is done."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.views.decorators.cache import never_cache

from accounts.middleware import AccountRequest
from accounts.roles import Right, refusal

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def members_who_may(right: Right) -> Callable[[View], View]:
    """Refuse whoever lacks ``right``, before anything is looked up; nobody keeps the answer."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: AccountRequest, **found: object) -> HttpResponseBase:
            check(request, right)
            return view(request, **found)

        return cast(View, never_cache(guarded))

    return guard


def check(request: AccountRequest, right: Right) -> None:
    """Raises PermissionDenied, with the reason as a sentence."""
    if not request.membership:
        raise PermissionDenied("You do not belong to an account.")
    if not request.membership.may(right):
        raise PermissionDenied(refusal(right))
