"""The pages of operators at ``/ops/``: rows to look at, and acts that are on record."""

from allauth.account import views
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from accounts.view_only import ViewOnly


def addresses() -> list[URLPattern | URLResolver]:
    """Operators sign in and out, and change their password, as everybody does: on record.

    Pages of other packages that edit rows by hand are taken away.
    """
    admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
    for model, pages in list(admin.site._registry.items()):
        if not isinstance(pages, ViewOnly):
            admin.site.unregister(model)
    return [
        path("ops/logout/", views.logout),
        path("ops/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
        path("ops/", admin.site.urls),
    ]
