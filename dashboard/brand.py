"""What the product looks like, as files: an accent of its own in a style sheet, and its mark.

The Content-Security-Policy allows no style within a page. The names of the files change with what
is in them, so whoever has one never asks again.
"""

import hashlib

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from gateway.brand import Accent
from gateway.colours import mixed

FOR_EVER = "public, max-age=31536000, immutable"
STYLE = """\
:root {{
  --accent: light-dark({light}, {dark});
  --accent-soft: light-dark({soft_light}, {soft_dark});
  --mark-1: {light};
  --mark-2: {mark};
}}
"""
MARK = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><defs><linearGradient id="g" x1="0" \
y1="0" x2="1" y2="1"><stop stop-color="{light}"/><stop offset="1" stop-color="{mark}"/>\
</linearGradient></defs><rect width="20" height="20" rx="6" fill="url(#g)"/></svg>
"""
KINDS = {"css": (STYLE, "text/css"), "svg": (MARK, "image/svg+xml")}


def address(kind: str) -> str:
    """Of the file ``brand.<kind>``; empty where the product keeps to static/css/tokens.css."""
    accent = settings.PRODUCT.accent
    if accent is None:
        return ""
    return reverse("brand", args=[digest_of(filled(kind, accent)), kind])


@login_not_required
@require_safe
def brand(request: HttpRequest, digest: str, kind: str) -> HttpResponse:
    """Under a name of before, or of tomorrow while hosts differ, what holds here; for now only."""
    accent = settings.PRODUCT.accent
    if accent is None or kind not in KINDS:
        raise Http404("There is no such file.")
    text = filled(kind, accent)
    lasting = FOR_EVER if digest == digest_of(text) else "no-store"
    kept = {"Cache-Control": lasting}
    return HttpResponse(text, content_type=f"{KINDS[kind][1]}; charset=utf-8", headers=kept)


def filled(kind: str, accent: Accent) -> str:
    return KINDS[kind][0].format(
        light=accent.light,
        dark=accent.dark,
        soft_light=accent.soft_light,
        soft_dark=accent.soft_dark,
        mark=mixed(accent.light, accent.dark, 35),
    )


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
