"""Every address of the site; the gateway's own (/v1) are in ``gateway/asgi.py``."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("ops/", admin.site.urls),
    path("", include("allauth.urls")),
]
