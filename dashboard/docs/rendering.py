"""Markdown as pages show it: headings to link to, code in colours, tables that scroll.

Colours and alignment are classes, never styles, for the Content-Security-Policy allows none. What
stands in the Markdown is escaped; HTML in it is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.container import container_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from dashboard.docs.contents import PAGES

LANGUAGES = {  # what a fence may name, and what people call it
    "python": "Python",
    "javascript": "JavaScript",
    "sh": "Shell",
    "json": "JSON",
    "http": "HTTP",
    "diff": "What changes",
    "go": "Go",
    "ruby": "Ruby",
    "php": "PHP",
    "toml": "TOML",
    "text": "Text",
}
CALLOUTS = {"note": "callout", "warning": "callout callout-warn"}
PAGE_LINK = re.compile(r"([\w-]+)\.md(#[\w-]+)?\Z")
FORMATTER = HtmlFormatter(nowrap=True, classprefix="tok-")


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with what stands below it, up to the next one, as plain text."""

    level: int
    anchor: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page; the first of its ``parts`` is the page's own title."""

    html: SafeString
    parts: tuple[Part, ...]

    @property
    def contents(self) -> list[Part]:
        """What a table of contents lists."""
        return [part for part in self.parts if part.level == 2]


@lru_cache(maxsize=256)
def render(markdown: str) -> Rendered:
    """The same text is rendered once in each process."""
    tokens = MARKDOWN.parse(markdown)
    parts = tuple(parts_of(tokens))
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            _link_to(opening, inline)
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    return Rendered(mark_safe(html), parts)  # noqa: S308  # HTML in Markdown is escaped


def anchor_of(title: str) -> str:
    """As GitHub makes it, so that links hold there, too.

    >>> anchor_of("Why? `POST /v1/usage`!")
    'why-post-v1usage'
    """
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def parts_of(tokens: Sequence[Token]) -> Iterator[Part]:
    starts = [at for at, token in enumerate(tokens) if token.type == "heading_open"]
    for start, end in pairwise([*starts, len(tokens)]):
        opening, title, *rest = tokens[start:end]
        text = " ".join(plain(token) for token in rest if token.content)
        level, anchor = int(opening.tag[1:]), str(opening.attrGet("id"))
        yield Part(level, anchor, plain(title), " ".join(text.split()))


def plain(token: Token) -> str:
    """The words of a paragraph or of code, without marks."""
    if token.children is None:
        return token.content
    return "".join(" " if "break" in child.type else child.content for child in token.children)


def _link_to(opening: Token, inline: Token) -> None:
    """A heading of a section ends with a link to itself."""
    if opening.tag == "h1" or inline.children is None:
        return
    link = Token("html_inline", "", 0)
    anchor, words = escape(opening.attrGet("id") or ""), escape(f"Link to “{plain(inline)}”")
    link.content = f' <a class="docs-anchor" href="#{anchor}" aria-label="{words}">#</a>'
    inline.children.append(link)


Rule = Callable[[RendererHTML, Sequence[Token], int, Any, Any], str]


def fence(_: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Code with the name of its language, and a button that copies it."""
    env["codes"] = env.get("codes", 0) + 1
    language = (tokens[at].info.split() or ["text"])[0]
    context = {
        "id": f"code-{env['codes']}",
        "language": LANGUAGES[language],
        "code": coloured(tokens[at].content, language),
    }
    return render_to_string("docs/_code.html", context)


def coloured(code: str, language: str) -> SafeString:
    """What Pygments tells apart in it, as classes."""
    html = highlight(code, get_lexer_by_name(language), FORMATTER)
    return mark_safe(html)  # noqa: S308  # Pygments has escaped it


def link(md: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """A link to another file of the documentation leads to its page."""
    found = PAGE_LINK.match(str(tokens[at].attrGet("href")))
    if found and found[1] in PAGES:
        tokens[at].attrSet("href", PAGES[found[1]].address + (found[2] or ""))
    return md.renderToken(tokens, at, options, env)


def cell(md: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Alignment is a class."""
    if tokens[at].attrs.pop("style", "") == "text-align:right":
        tokens[at].attrSet("class", "num")
    return md.renderToken(tokens, at, options, env)


def callout(_: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """``::: note`` or ``::: warning``, up to the next ``:::``."""
    if tokens[at].nesting == -1:
        return "</div>\n"
    return f'<div class="{CALLOUTS[tokens[at].info.strip()]}">\n'


def fixed(html: str) -> Rule:
    return lambda *_: html


def parser() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False}).enable("table")
    md.use(anchors_plugin, max_level=3, slug_func=anchor_of)
    for name in CALLOUTS:
        md.use(container_plugin, name=name, render=callout)
    wrap = '<div class="table-wrap" tabindex="0" role="group" aria-label="Table">'
    rules = {
        "fence": fence,
        "link_open": link,
        "th_open": cell,
        "td_open": cell,
        "table_open": fixed(f'{wrap}<table class="table">\n'),
        "table_close": fixed("</table></div>\n"),
    }
    for name, rule in rules.items():
        md.add_render_rule(name, rule)
    return md


MARKDOWN = parser()
