"""What every page may show: whose site this is, and who is looking at it."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from dashboard.status.banner import banner


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "brand": settings.PRODUCT.name,
        "api_url": settings.PUBLIC_URL + settings.PRODUCT.base_path,
        "first_model": settings.PRODUCT.first_model,
        "mailbox_url": reverse("mailbox") if settings.MAILBOX_OPEN else "",
        "status_banner": banner,  # asked for by the pages that show it
        "membership": getattr(request, "membership", None),
    }
