"""What every page may show: whose site this is, and who is looking at it."""

from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.features import switched_off
from dashboard.announcements import told_to
from dashboard.brand import address
from dashboard.status.banner import banner


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "brand": settings.PRODUCT.name,
        "links": settings.PRODUCT.links,
        "brand_css": address("css"),
        "brand_icon": address("svg"),
        "api_url": settings.PUBLIC_URL + settings.PRODUCT.base_path,
        "first_model": settings.PRODUCT.first_model,
        "mailbox_url": reverse("mailbox") if settings.MAILBOX_OPEN else "",
        "status_banner": banner,  # asked for by the pages that show it
        "announcements": partial(told_to, request),
        "switched_off": switched_off,
        "membership": getattr(request, "membership", None),
    }
