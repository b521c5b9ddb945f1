"""Whoever looks for something in the documentation finds the best place first."""

import re

import pytest
from django.test import Client

from dashboard.docs import search
from tests.gateway.conftest import load_catalog

pytestmark = pytest.mark.django_db
LINK = re.compile(r'<a href="([^"]+)">[^<]+</a>\s*<span class="note">')


@pytest.fixture(autouse=True)
def models(db: None) -> None:
    load_catalog()


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("quick start", "/docs/quick-start"),
        ("rate limits", "/docs/rate-limits"),
        ("rate limit", "/docs/rate-limits"),
        ("webhook", "/docs/webhooks"),
        ("stream", "/docs/streaming"),
        ("Authentication", "/docs/authentication"),
        ("permissions", "/docs/keys#permissions"),
        ("back off", "/docs/rate-limits#back-off"),
        ("context_length_exceeded", "/docs/errors#context_length_error"),
        ("quota_exceeded", "/docs/rate-limits#when-a-limit-is-reached"),
        ("embedding models", "/docs/models#embedding-models"),
        ("dry run", "/docs/explain#before-a-call"),
        ("anthropic", "/docs/migrate-anthropic"),
        ("verify signature", "/docs/webhooks#verify"),
        ("X-Keyplex-Left-Out", "/docs/endpoints#headers-of-every-answer"),
    ],
)
def test_the_best_place_comes_first_or_nearly(client: Client, query: str, address: str) -> None:
    found = LINK.findall(client.get("/docs/search", {"q": query}).content.decode())

    assert address in found[:3]


def test_every_word_must_be_there(client: Client) -> None:
    text = client.get("/docs/search", {"q": "webhook zebra"}).content.decode()

    assert "Nothing matches" in text
    assert not LINK.findall(text)


@pytest.mark.parametrize("query", ["", " ", "§§", "\0", "a" * 5000, "<script>", "' OR 1=1 --"])
def test_odd_queries_are_answered(client: Client, query: str) -> None:
    answer = client.get("/docs/search", {"q": query})

    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode()


def test_what_was_asked_for_is_marked_in_the_text_around_it() -> None:
    asked = [[search.Meant({"retry", "retries"}, 1.0)]]

    shown = search.excerpt("Before. " * 30 + "Then <retry> it. " + "After. " * 60, asked)

    assert "&lt;<mark>retry</mark>&gt;" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_a_page_does_not_crowd_out_the_others() -> None:
    found = search.find("key")

    pages = [hit.page.slug for hit in found]
    assert max(map(pages.count, pages)) <= search.OF_ONE_PAGE
    assert len(set(pages)) > 5
