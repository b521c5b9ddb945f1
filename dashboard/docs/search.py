"""Finds what a reader looks for in the documentation: by words, with what matters most first.

Every section is a document of BM25 (Robertson and Zaragoza, 2009), in which a word of a heading
counts like several of the text. A word that somebody is still writing is found by its beginning.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from dashboard.docs.contents import ORDER, PAGES, Page
from dashboard.docs.filling import fill
from dashboard.docs.rendering import Part, render

WORD = re.compile(r"[^\W_]+")
HEADING, TITLE = 8, 5  # times that a word of a heading, or of a page's title, counts
K, B = 1.2, 0.6  # how soon more of the same says nothing new; how much length counts
WHOLE_PAGE = 1.3  # times that the beginning of a page counts, for it leads to all of it
BEGINNING = 0.5  # what a word counts that only begins as asked
MOST_WORDS, MOST_HITS, OF_ONE_PAGE = 10, 20, 3
BEFORE, EXCERPT = 60, 220  # letters


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that holds every word."""

    page: Page
    part: Part
    excerpt: SafeString


@dataclass(frozen=True, slots=True)
class Entry:
    """A section as it is looked through."""

    page: Page
    part: Part
    weights: Counter[str]

    @property
    def length(self) -> int:
        return self.weights.total()


def words(text: str) -> list[str]:
    """
    >>> words("X-RateLimit-Reset: chat:write")
    ['x', 'ratelimit', 'reset', 'chat', 'write']
    """
    return WORD.findall(text.casefold())


class Meant(NamedTuple):
    """Words that count as one, and what it is worth to have it."""

    words: set[str]
    worth: float


class Index:
    """All sections of all pages, as they are filled."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self._entries = list(self._read(texts))
        self._mean = sum(entry.length for entry in self._entries) / max(1, len(self._entries))
        self._holders = Counter(word for entry in self._entries for word in entry.weights)

    def _read(self, texts: Iterable[tuple[str, str]]) -> Iterator[Entry]:
        for slug, text in texts:
            page = PAGES[slug]
            for part in render(text).parts:
                weights = Counter(words(part.text))
                for title, weight in ((part.title, HEADING), (page.title, TITLE)):
                    for word in words(title):
                        weights[word] += weight
                yield Entry(page, part, weights)

    def find(self, query: str) -> list[Hit]:
        """Sections with every word of ``query``, the best first; a few of each page."""
        asked = [self._known(word) for word in dict.fromkeys(words(query)[:MOST_WORDS])]
        if not asked:
            return []
        scored = [(self._score(entry, asked), entry) for entry in self._entries]
        found = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
        of_page: Counter[str] = Counter()
        hits = []
        for _, entry in found:
            of_page[entry.page.slug] += 1
            if of_page[entry.page.slug] <= OF_ONE_PAGE:
                hits.append(Hit(entry.page, entry.part, excerpt(entry.part.text, asked)))
        return hits[:MOST_HITS]

    def _known(self, word: str) -> list[Meant]:
        """What is meant: itself and its plural as one word, and whatever begins with it."""
        stem = word[:-1] if len(word) > 3 and word.endswith("s") else word
        same = {word, stem, f"{stem}s"} & self._holders.keys()
        longer = {known for known in self._holders if known.startswith(stem)} - same
        groups = [(same, 1.0), *(({known}, BEGINNING) for known in longer)]
        return [Meant(group, factor * self._rarity(group)) for group, factor in groups if group]

    def _rarity(self, group: set[str]) -> float:
        holders = sum(not group.isdisjoint(entry.weights) for entry in self._entries)
        return math.log(1 + (len(self._entries) - holders + 0.5) / (holders + 0.5))

    def _score(self, entry: Entry, asked: list[list[Meant]]) -> float:
        """Nothing where one of the words is missing."""
        total = 0.0
        norm = K * (1 - B + B * entry.length / self._mean)
        for meant in asked:
            weights = [(one.worth, sum(entry.weights[word] for word in one.words)) for one in meant]
            best = max((worth * w * (K + 1) / (w + norm) for worth, w in weights), default=0.0)
            if not best:
                return 0.0
            total += best
        return total * (WHOLE_PAGE if entry.part.level == 1 else 1)


def excerpt(text: str, asked: list[list[Meant]]) -> SafeString:
    """The text around the first word that was asked for, with all of them marked."""
    meant = {word for group in asked for one in group for word in one.words}
    first = next((at for at in WORD.finditer(text) if at[0].casefold() in meant), None)
    start = max(0, first.start() - BEFORE) if first else 0
    if start:
        start = text.find(" ", start) + 1
    shown = text[start : start + EXCERPT]
    end = start + EXCERPT < len(text)
    shown = shown.rpartition(" ")[0] if end and " " in shown else shown
    pieces, at = [], 0
    for word in WORD.finditer(shown):
        if word[0].casefold() in meant:
            pieces += [escape(shown[at : word.start()]), f"<mark>{escape(word[0])}</mark>"]
            at = word.end()
    marked = "".join([*pieces, escape(shown[at:])])
    return mark_safe(f"{'…' if start else ''}{marked}{'…' if end else ''}")  # noqa: S308


@lru_cache(maxsize=2)
def index_of(texts: tuple[tuple[str, str], ...]) -> Index:
    return Index(texts)


def find(query: str) -> list[Hit]:
    """In the pages as they are filled now."""
    return index_of(tuple((page.slug, fill(page)) for page in ORDER)).find(query)
