"""Pages for members of an account only."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.middleware import AccountRequest

Page = Callable[..., HttpResponse]


def page_of_an_account(page: Page) -> Page:
    """Show a page to members only; no proxy may keep it, no form may post to it."""

    @wraps(page)
    def guarded(request: AccountRequest, **found: str) -> HttpResponse:
        if not request.membership:
            raise PermissionDenied("You do not belong to an account.")
        return page(request, **found)

    return require_safe(never_cache(guarded))
