"""A copy of the status page in a file, for when there is nothing left to make the page.

The web server hands it out by itself from ``/static/status/``; a proxy in front may do so when
the web server is gone (docs/operations.md).
"""

import json
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string

from dashboard.status.picture import Picture
from dashboard.status.summary import summary, whole_address


def folder() -> Path:
    found: Path = settings.STATUS_COPY
    return found


def write(picture: Picture) -> None:
    """Renew the copy, as a page and as JSON; whoever reads meanwhile gets the old one, whole."""
    context = {
        "picture": picture,
        "brand": settings.PRODUCT.name,
        "page": whole_address("status:page"),
    }
    folder().mkdir(parents=True, exist_ok=True)
    _replace("index.html", render_to_string("status/snapshot.html", context))
    _replace("status.json", json.dumps(summary(picture)))


def last() -> str | None:
    """The copy of this host; None if there is none."""
    path = folder() / "index.html"
    return path.read_text() if path.exists() else None


def _replace(name: str, text: str) -> None:
    draft = folder() / f".{name}.new"
    draft.write_text(text)
    draft.replace(folder() / name)
