"""What a browser gets where operators have switched something off: a page that says so, 503."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from accounts.features import PAGES, Feature

RETRY_AFTER = 300  # seconds
View = Callable[..., HttpResponseBase]
GO_ON = {"", "admin"}  # sign-in, which is of no app of ours, and how operators open the rest again


def refuse(request: HttpRequest, feature: Feature, *, frame: str = "_alone.html") -> HttpResponse:
    """Within ``frame``; what stands alone needs neither an account nor the database."""
    answer = render(request, "switched_off.html", {"feature": feature, "frame": frame}, status=503)
    answer["Retry-After"] = str(RETRY_AFTER)
    add_never_cache_headers(answer)
    return answer


def only_while_on(feature: Feature) -> Callable[[View], View]:
    """A page of members that is not there while ``feature`` is off."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **found: object) -> HttpResponseBase:
            if feature.is_off:
                return refuse(request, feature, frame="app.html")
            return view(request, **found)

        return guarded

    return guard


class PagesMiddleware:
    """While the pages of members are off, each that asks who you are says just that.

    Who is not signed in signs in first, so this stands after what sees to it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: object) -> HttpResponse | None:
        is_public = not getattr(view, "login_required", True)
        app = request.resolver_match.app_name if request.resolver_match else ""
        if is_public or app in GO_ON or not PAGES.is_off:
            return None
        return refuse(request, PAGES)
