"""Every address of the site; the gateway's own (/v1) are in ``gateway/asgi.py``."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from dashboard.landing import landing
from dashboard.mailbox import mailbox

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "dashboard.failures.failed"

urlpatterns = [
    path("", landing, name="landing"),
    path("", include("dashboard.pages")),
    path("", include("accounts.urls")),
    path("", include("allauth.account.urls")),
    path("mailbox", mailbox, name="mailbox"),
    path("ops/", admin.site.urls),
]
