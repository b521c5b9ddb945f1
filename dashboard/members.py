"""Pages and acts for members of an account only."""

from collections.abc import Callable

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import members_who_may
from accounts.middleware import AccountRequest
from accounts.roles import Right

Page = Callable[..., HttpResponseBase]
members_only = members_who_may(Right.SEE)


def page_of_an_account(page: Page) -> Page:
    """Show a page to members only; nobody keeps it on the way, and no form may post to it."""
    return require_safe(members_only(page))


def act_in_an_account(act: Page) -> Page:
    """Let members only do something; following a link never does it."""
    return require_POST(members_only(act))


def part_wanted(request: AccountRequest) -> str | None:
    """The id of the element that htmx wants anew; None where the whole page is wanted."""
    if not request.htmx or request.htmx.history_restore_request:
        return None
    return request.htmx.target or ""


def nothing_new() -> HttpResponse:
    """What is on the page may stay there."""
    return HttpResponse(status=204)
