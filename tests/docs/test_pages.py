"""The pages of the documentation: links that lead somewhere, names of this server."""

import doctest
import re
from html.parser import HTMLParser
from types import ModuleType

import httpx
import pytest
from django.conf import settings
from django.test import Client

from dashboard.docs import markdown_tables, rendering, search
from dashboard.docs.contents import ORDER
from dashboard.docs.filling import fill
from dashboard.docs.rendering import render
from gateway.models import LanguageModel
from tests.docs.conftest import Pages
from tests.gateway.site import Site

PLACEHOLDER = re.compile(r"\{\{|\{%|%\}")
pytestmark = pytest.mark.django_db


class Anchors(HTMLParser):
    """The links and the ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if given.get("id"):
            self.ids.append(given["id"] or "")


def read(client: Client, address: str) -> Anchors:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, address
    return Anchors(answer.content.decode())


def test_every_link_and_every_anchor_resolves(client: Client, brand: str) -> None:
    addresses = [page.address for page in ORDER] + ["/docs/search?q=key", "/changelog"]
    seen = {address: read(client, address) for address in addresses}
    for address, found in list(seen.items()):
        assert len(found.ids) == len(set(found.ids)), address
        for link in found.links:
            target, _, anchor = link.partition("#")
            if target.startswith("https://") or target == "/v1/openapi.json":
                continue
            assert link.startswith(("/", "#")) or address == "/docs/webhooks", link
            target = f"/docs/{target}" if target and target[0] != "/" else target or address
            if target not in seen:
                seen[target] = read(client, target)
            assert not anchor or anchor in seen[target].ids, f"{address}: {link}"


def test_nothing_is_left_to_fill_in(pages: Pages) -> None:
    for slug, text in pages.items():
        assert not PLACEHOLDER.search(text), slug
        assert not re.search(r"\| None |`None`|/None", text), slug


def test_a_page_names_this_product_and_no_other(pages: Pages, brand: str) -> None:
    text = " ".join(pages.values())

    assert settings.PUBLIC_URL + settings.PRODUCT.base_path in text
    assert f"{settings.PRODUCT.name} puts many providers" in text
    assert settings.PRODUCT.key_prefix in text
    assert f"${settings.PRODUCT.key_variable}" in text
    if brand == "keymeai":
        left = re.sub(r"X-Keyplex-[\w-]+|x-keyplex-[\w-]+", "", text)
        assert not re.search(r"(?i)\bkeyplex|kpx_(?!ab…wxyz)", left)


def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(
    client: Client, brand: str
) -> None:
    for page in ORDER:
        text = client.get(page.address).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc)", text), page.slug
        assert not re.search(r"<style|\sstyle=|<[^>]+\son\w+=\"", text), page.slug
        assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"(https?:)?//", text)


def test_a_new_model_is_on_the_page_at_once(client: Client, brand: str) -> None:
    before = client.get("/docs/models").content.decode()

    LanguageModel.objects.filter(model_id=settings.PRODUCT.first_model).update(best_for="Parroting")

    assert "Parroting" not in before
    assert "Parroting" in client.get("/docs/models").content.decode()


def test_each_page_is_there_as_markdown(client: Client, brand: str) -> None:
    for page in ORDER:
        answer = client.get(f"/docs/{page.slug}.md")
        assert answer["Content-Type"] == "text/markdown; charset=utf-8"
        assert answer.content.decode() == fill(page)


def test_language_models_find_every_page(client: Client, brand: str) -> None:
    answer = client.get("/llms.txt")
    text = answer.content.decode()

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert text.startswith(f"# {settings.PRODUCT.name}\n\n> {settings.PRODUCT.name} puts ")
    lines = re.findall(r"^- \[(.+)\]\((\S+)\): (.+)$", text, re.MULTILINE)
    listed = {address: title for title, address, _ in lines}
    for page in ORDER:
        assert listed[f"{settings.PUBLIC_URL}/docs/{page.slug}.md"] == page.title


def test_pages_follow_each_other_and_say_where_one_is(client: Client, brand: str) -> None:
    text = client.get("/docs/quick-start").content.decode()

    assert re.search(r'href="/docs/quick-start" aria-current="page"', text)
    assert re.search(r'href="/docs" rel="prev"', text)
    assert re.search(r'href="/docs/authentication" rel="next"', text)
    assert 'href="#1-create-an-account">1. Create an account' in text


def test_the_first_page_has_one_address(client: Client) -> None:
    assert client.get("/docs/introduction")["Location"] == "/docs"


@pytest.mark.parametrize(
    "address",
    ["/docs/nothing", "/docs/nothing.md", "/docs/webhooks/../webhooks.md", "/docs/webhooks/x.py"],
)
def test_what_is_not_there_is_a_404(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_changelog_is_a_page(client: Client) -> None:
    text = client.get("/changelog").content.decode()

    assert '<h1 id="changelog"' in text
    assert "docs/adr" not in text


def test_html_in_markdown_is_text_and_code_is_coloured_by_classes() -> None:
    rendered = render("# T\n\n<b>x</b>\n\n```python\nprint('<b>')\n```\n\n| a |\n|--:|\n| 1 |\n")

    assert "<b>" not in rendered.html
    assert '<span class="tok-nb">print</span>' in rendered.html
    assert '<td class="num">1</td>' in rendered.html


def test_the_site_serves_it_without_an_account(site: Site) -> None:
    for address in ["/docs", "/docs/models", "/docs/search?q=limit", "/llms.txt", "/changelog"]:
        assert httpx.get(site.url + address).status_code == 200, address


@pytest.mark.parametrize("module", [markdown_tables, rendering, search], ids=lambda m: m.__name__)
def test_the_examples_of_a_module_hold(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)

    assert tried
    assert not failed
