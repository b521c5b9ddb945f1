"""The room itself: who is let in, under which policy, and what hangs on its walls."""

from functools import wraps
from typing import Any

from allauth.account import views
from csp.decorators import csp_replace
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from accounts import operators
from accounts.operators import NoSecondFactor
from accounts.view_only import ViewOnly
from dashboard.ops import rooms, start
from dashboard.ops.abuse import abuse_page
from dashboard.ops.request_page import request_page
from dashboard.ops.search import search_page

OWN_POLICY = csp_replace({"form-action": ["'self'"], "connect-src": ["'self'"]})


class OpsSite(AdminSite):
    """Django's admin, behind a second factor, in the look of the product.

    Lists and facts are the admin's; whatever changes something is a verb of a model.
    """

    enable_nav_sidebar = False
    index_template = "ops/start.html"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.search, self.request_page = search_page(self), request_page(self)
        self.only_read: set[Any] = {self.search}  # though they are sent

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Pages of other packages, which edit rows by hand, do not come in."""
        if admin_class and issubclass(admin_class, ViewOnly):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return operators.is_operator(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page of the room comes through here, whatever app it is of."""
        inner = super().admin_view(view, cacheable)
        fresh = False if view in self.only_read else None

        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **found: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            try:
                operators.check(request, fresh=fresh)
            except NoSecondFactor:
                return render(request, "ops/second_factor.html", status=403)
            except PermissionDenied as refusal:
                return render(request, "403.html", {"exception": str(refusal)}, status=403)
            answer: HttpResponseBase = inner(request, *args, **found)
            return answer

        return OWN_POLICY(never_cache(guarded))

    @login_not_required
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Operators sign in as everybody does, and then go on; this is no door of its own."""
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def app_index(  # type: ignore[override]  # in the stubs only
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Apps are ours, not the operators': there is one list of everything, beside each page."""
        return redirect("admin:index")

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), **start.look(request)})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The walls have it."""
        return []

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        beside = {"walls": rooms.walls(self, request), "here": rooms.here(request)}
        return super().each_context(request) | beside

    def get_urls(self) -> list[URLPattern | URLResolver]:
        password = RedirectView.as_view(pattern_name="account_change_password")
        return [
            path("logout/", views.logout, name="logout"),
            path("password_change/", password, name="password_change"),
            path("abuse", self.admin_view(abuse_page(self)), name="abuse"),
            path("search", self.admin_view(self.search), name="search"),
            path("requests/<request_id>", self.admin_view(self.request_page), name="request"),
            *super().get_urls(),
        ]
