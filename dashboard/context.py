"""What every page may show: whose site this is."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {"public_url": settings.PUBLIC_URL, "brand": "Keyplex"}
