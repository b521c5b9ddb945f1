"""Whom to tell of a weakness, where those who look for one ask (RFC 9116)."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

HOLDS_FOR = timedelta(days=90)


@login_not_required
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Not there unless the operators have named somebody who reads what is sent."""
    contact: str = settings.SECURITY_CONTACT
    if not contact:
        raise Http404("Nobody is named here.")
    expires = (datetime.now(UTC) + HOLDS_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    fields = {
        "Contact": contact if ":" in contact else f"mailto:{contact}",
        "Expires": expires.isoformat().replace("+00:00", "Z"),
        "Preferred-Languages": "en",
        "Canonical": settings.PUBLIC_URL + reverse("security-txt"),
        "Policy": settings.PUBLIC_URL + reverse("docs:page", args=["security"]),
    }
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return HttpResponse(text, "text/plain; charset=utf-8")
