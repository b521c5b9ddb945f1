"""Every address of the site; the gateway's own (/v1) are in ``gateway/asgi.py``."""

from django.urls import include, path
from django.views.generic import RedirectView

from accounts.entrance import on_record
from dashboard import ops
from dashboard.landing import landing
from dashboard.mailbox import mailbox
from dashboard.pricing import pricing

security = RedirectView.as_view(pattern_name="accounts:security")

handler500 = "dashboard.failures.failed"

urlpatterns = [
    path("", landing, name="landing"),
    path("pricing", pricing, name="pricing"),
    path("", include("dashboard.docs.urls")),
    path("", include("dashboard.status.urls")),
    path("", include("dashboard.pages")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("mfa/", security, name="mfa"),  # instead of allauth's own lists
    path("mfa/webauthn/", security, name="passkeys"),
    path("mfa/", include(on_record("allauth.mfa.urls"))),
    path("", include(on_record("allauth.account.urls"))),
    path("mailbox", mailbox, name="mailbox"),
    *ops.addresses(),
]
