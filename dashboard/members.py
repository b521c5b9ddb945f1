"""Pages and acts for members of an account only."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.middleware import AccountRequest

Page = Callable[..., HttpResponseBase]


def page_of_an_account(page: Page) -> Page:
    """Show a page to members only; nobody keeps it on the way, and no form may post to it."""
    return require_safe(never_cache(members_only(page)))


def act_in_an_account(act: Page) -> Page:
    """Let members only do something; following a link never does it."""
    return require_POST(never_cache(members_only(act)))


def members_only(page: Page) -> Page:
    @wraps(page)
    def guarded(request: AccountRequest, **found: str) -> HttpResponseBase:
        if not request.membership:
            raise PermissionDenied("You do not belong to an account.")
        return page(request, **found)

    return guarded


def part_wanted(request: AccountRequest) -> str | None:
    """The id of the element that htmx wants anew; None where the whole page is wanted."""
    if not request.htmx or request.htmx.history_restore_request:
        return None
    return request.htmx.target or ""


def nothing_new() -> HttpResponse:
    """What is on the page may stay there."""
    return HttpResponse(status=204)
