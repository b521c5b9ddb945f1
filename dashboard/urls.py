"""Every address of the site; the gateway's own (/v1) are in ``gateway/asgi.py``."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from accounts.entrance import on_record
from dashboard.brand import brand
from dashboard.landing import enterprise, landing
from dashboard.mailbox import mailbox
from dashboard.pricing import pricing
from dashboard.security_txt import security_txt

security = RedirectView.as_view(pattern_name="accounts:security")
signup, login = (
    login_not_required(RedirectView.as_view(pattern_name=name, query_string=True))
    for name in ("account_signup", "account_login")
)

handler500 = "dashboard.failures.failed"

urlpatterns = [
    path("", landing, name="landing"),
    path("pricing", pricing, name="pricing"),
    path("enterprise", enterprise, name="enterprise"),
    path("signup", signup, name="signup"),  # as people type it
    path("login", login, name="login"),
    path("brand/<str:digest>.<str:kind>", brand, name="brand"),
    path("", include("dashboard.docs.urls")),
    path("", include("dashboard.status.urls")),
    path("", include("dashboard.support.urls")),
    path("", include("dashboard.pages")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("mfa/", security, name="mfa"),  # instead of allauth's own lists
    path("mfa/webauthn/", security, name="passkeys"),
    path("mfa/", include(on_record("allauth.mfa.urls"))),
    path("", include(on_record("allauth.account.urls"))),
    path("mailbox", mailbox, name="mailbox"),
    path(".well-known/security.txt", security_txt, name="security-txt"),
    path("ops/", admin.site.urls),
]
