"""Pages for members of an account only, whole or in part."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.middleware import AccountRequest

Page = Callable[..., HttpResponse]


def page_of_an_account(page: Page) -> Page:
    """Show a page to members only; nobody keeps it on the way, and no form may post to it."""

    @wraps(page)
    def guarded(request: AccountRequest, **found: str) -> HttpResponse:
        if not request.membership:
            raise PermissionDenied("You do not belong to an account.")
        return page(request, **found)

    return require_safe(never_cache(guarded))


def part_wanted(request: AccountRequest) -> str | None:
    """The id of the element that htmx wants anew; None where the whole page is wanted."""
    if not request.htmx or request.htmx.history_restore_request:
        return None
    return request.htmx.target or ""


def nothing_new() -> HttpResponse:
    """What is on the page may stay there."""
    return HttpResponse(status=204)
