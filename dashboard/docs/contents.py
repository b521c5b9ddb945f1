"""The table of contents: which pages the documentation has, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse

from dashboard.instance import ROOT

FOLDER = ROOT / "docs" / "site"
FIRST = "introduction"
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": (FIRST, "quick-start", "authentication", "keys", "models"),
    "Guides": (
        *("streaming", "rate-limits", "errors", "dashboard", "webhooks", "best-practices"),
        "practice",
    ),
    "API reference": (
        *("endpoints", "chat-completions", "completions", "embeddings", "list-models", "usage"),
        *("events", "key-and-limits", "explain", "leaked-keys"),
    ),
    "Clients": ("sdks", "migrate-openai", "migrate-anthropic", "migrate-openrouter"),
    "Trust": ("security", "fair-use", "status", "support"),
}


@dataclass(frozen=True)
class Page:
    """A page as it was written: Markdown with placeholders, which ``filling`` replaces."""

    slug: str
    section: str

    @cached_property
    def source(self) -> str:
        return (FOLDER / f"{self.slug}.md").read_text()

    @cached_property
    def title(self) -> str:
        """Its first line, which has no placeholders."""
        return self.source.partition("\n")[0].removeprefix("# ")

    @property
    def address(self) -> str:
        return (
            reverse("docs:first") if self.slug == FIRST else reverse("docs:page", args=[self.slug])
        )


PAGES: dict[str, Page] = {
    slug: Page(slug, section) for section, slugs in SECTIONS.items() for slug in slugs
}
ORDER = list(PAGES.values())


def beside(page: Page) -> tuple[Page | None, Page | None]:
    """The page before this one, and the one after it."""
    at = ORDER.index(page)
    return (
        ORDER[at - 1] if at else None,
        ORDER[at + 1] if at + 1 < len(ORDER) else None,
    )
