"""The documentation for everybody: its pages, its search, and the same for language models."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboard.docs import rendering, search
from dashboard.docs.contents import FIRST, PAGES, SECTIONS, Page, beside
from dashboard.docs.filling import WEBHOOKS, fill
from dashboard.instance import ROOT

Navigation = dict[str, list[Page]]
MARKDOWN = "text/markdown; charset=utf-8"
LINK = re.compile(r"\[([^\]]+)\]\((?!https://)[^)]*\)")
LONGEST_QUERY = 200


@login_not_required
@require_safe
def first(request: HttpRequest) -> HttpResponse:
    return shown(request, PAGES[FIRST])


@login_not_required
@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    if slug == FIRST:
        return redirect("docs:first")
    return shown(request, found(slug))


def shown(request: HttpRequest, page: Page) -> HttpResponse:
    before, after = beside(page)
    context = {
        "navigation": navigation(),
        "page": page,
        "rendered": rendering.render(fill(page)),
        "before": before,
        "after": after,
    }
    return render(request, "docs/page.html", context)


@login_not_required
@require_safe
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """The Markdown of a page, as it is filled here."""
    return HttpResponse(fill(found(slug)), content_type=MARKDOWN)


@login_not_required
@require_safe
def look_up(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:LONGEST_QUERY]
    context = {
        "navigation": navigation(),
        "query": query,
        "hits": search.find(query) if query else [],
    }
    return render(request, "docs/search.html", context)


@login_not_required
@require_safe
def webhook_file(request: HttpRequest, name: str) -> HttpResponse:
    """A schema or a program to which the page about webhooks links."""
    path = webhook_files().get(name)
    if path is None:
        raise Http404("There is no such file.")
    kind = "application/schema+json" if path.suffix == ".json" else "text/plain; charset=utf-8"
    return HttpResponse(path.read_text(), content_type=kind)


@login_not_required
@require_safe
def for_language_models(request: HttpRequest) -> HttpResponse:
    """``/llms.txt``: every page with a link to its Markdown and a line about it."""
    context = {
        "sections": {
            section: [(page, address_of(page), lead_of(page)) for page in pages]
            for section, pages in navigation().items()
        },
        "site_url": settings.PUBLIC_URL,
        "lead": lead_of(PAGES[FIRST]),
    }
    kind = "text/plain; charset=utf-8"
    return render(request, "docs/llms.txt", context, content_type=kind)


@login_not_required
@require_safe
def changelog(request: HttpRequest) -> HttpResponse:
    """What has changed, without links to files that only the source code has."""
    text = LINK.sub(r"\1", (ROOT / "CHANGELOG.md").read_text())
    return render(request, "docs/changelog.html", {"rendered": rendering.render(text)})


def found(slug: str) -> Page:
    if slug not in PAGES:
        raise Http404("There is no such page.")
    return PAGES[slug]


def navigation() -> Navigation:
    return {section: [PAGES[slug] for slug in slugs] for section, slugs in SECTIONS.items()}


def address_of(page: Page) -> str:
    return settings.PUBLIC_URL + reverse("docs:source", args=[page.slug])


def lead_of(page: Page) -> str:
    """The first sentence of the page, in one line."""
    paragraph = fill(page).split("\n\n")[1]
    return " ".join(LINK.sub(r"\1", paragraph).split())


@cache
def webhook_files() -> dict[str, Path]:
    files = (path for path in WEBHOOKS.rglob("*") if path.is_file())
    return {str(path.relative_to(WEBHOOKS)): path for path in files}
