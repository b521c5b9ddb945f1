"""Going somewhere by its name: whatever a member may see is found, and nothing else."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.audit import SYSTEM
from accounts.models import APIKey
from dashboard.destinations import NAVIGATION, OTHERS
from dashboard.docs.contents import ORDER
from tests.dashboard.conftest import Scene, browser_of, part, text_of
from tests.gateway.conftest import load_catalog
from tests.people import make_colleague

pytestmark = pytest.mark.django_db


def found(browser: Client, query: str) -> list[str]:
    """Where the palette leads."""
    page = browser.get("/go", {"q": query}, headers=part("palette-found")).content.decode()
    return re.findall(r'role="option"[^>]*href="([^"]+)"', page)


def test_without_words_it_shows_the_pages_of_the_account(scene: Scene) -> None:
    assert found(scene.owner, "") == [place.url for place in NAVIGATION]


def test_every_page_is_found_by_its_name_and_is_there(scene: Scene) -> None:
    for place in (*NAVIGATION, *OTHERS):
        assert place.url in found(scene.owner, place.name)
        assert scene.owner.get(place.url).status_code == 200, place.name


def test_a_word_of_what_stands_on_a_page_finds_it_too(scene: Scene) -> None:
    assert reverse("dashboard:billing") in found(scene.owner, "invoi")
    assert reverse("accounts:security") in found(scene.owner, "passkeys")


@pytest.mark.parametrize(
    ("role", "hidden"),
    [
        ("viewer", ["/keys/new", "/webhooks/new", "/playground", "/audit"]),
        ("billing", ["/keys/new", "/webhooks/new", "/playground", "/audit"]),
        ("developer", ["/audit"]),
        ("admin", []),
    ],
)
def test_nobody_is_led_to_where_their_role_may_not_go(
    scene: Scene, role: str, hidden: list[str]
) -> None:
    browser = browser_of(make_colleague(scene.key.account, role))
    several = ["/keys/new", "/webhooks/new", "/playground", "/audit"]

    led = {url for word in ("new", "play", "audit", "") for url in found(browser, word)}

    assert sorted(set(several) - led) == sorted(hidden)
    for url in led:
        assert browser.get(url).status_code == 200, url


def test_a_key_is_found_by_its_name_by_everybody_of_its_account(scene: Scene) -> None:
    issued, _ = APIKey.objects.issue(
        scene.key.account, name="Night batch", scopes=["chat:write"], by=SYSTEM
    )
    address = reverse("accounts:api-key", args=[issued.pk])

    assert address in found(scene.owner, "batch night")
    assert address in found(scene.colleague, "NIGHT")
    assert address not in found(scene.stranger, "night")


def test_a_request_is_opened_by_its_id_and_only_in_its_account(scene: Scene) -> None:
    request_id = scene.call()

    assert found(scene.owner, request_id)[0] == f"/logs/{request_id}"
    assert f"/logs/{request_id}" in found(scene.colleague, f" {request_id} ")
    assert f"/logs/{request_id}" not in found(scene.stranger, request_id)
    assert "/logs/req_0000000000" not in found(scene.owner, "req_0000000000")


def test_models_and_pages_of_the_documentation_are_found(scene: Scene) -> None:
    load_catalog("keyplex")

    assert found(scene.owner, "sonnet")[0] == "/models/claude-sonnet-4.5"
    assert "/models/openai/gpt-4o" in found(scene.owner, "gpt-4o")
    for page in ORDER:
        assert page.address in found(scene.owner, page.title)


def test_whatever_is_written_can_be_looked_for_in_the_log_and_the_documentation(
    scene: Scene,
) -> None:
    odd = "<b>“a&b”\0"

    page = scene.owner.get("/go", {"q": odd})

    assert found(scene.owner, odd) == [
        f"{path}?q=%3Cb%3E%E2%80%9Ca%26b%E2%80%9D" for path in ("/logs", "/docs/search")
    ]
    assert page.status_code == 200
    assert "<b>" not in page.content.decode()


def test_without_javascript_it_is_a_page_with_the_same_links(scene: Scene) -> None:
    page = scene.owner.get("/go", {"q": "key"})
    main = page.content.decode().partition("<main")[2].partition("</main>")[0]

    links = re.findall(r'<li><a href="([^"]+)"', main)

    assert links == found(scene.owner, "key")
    assert 'name="q" value="key"' in main
    assert "Keyboard shortcuts" in text_of(page)
    assert 'href="/go" data-palette' in scene.owner.get("/overview").content.decode()


def test_the_list_of_shortcuts_is_that_of_the_navigation(scene: Scene) -> None:
    page = scene.owner.get("/overview").content.decode()

    listed = re.findall(r"<dt>([^<]+)</dt><dd><kbd>g</kbd> <kbd>(\w)</kbd>", page)
    links = re.findall(r'data-go="(\w)"', page)

    assert listed == [(place.name, place.key) for place in NAVIGATION]
    assert links == [place.key for place in NAVIGATION]


def test_it_can_only_be_looked_at_and_by_members_only(scene: Scene) -> None:
    assert scene.owner.post("/go", {"q": "key"}).status_code == 405
    assert Client().get("/go?q=key")["Location"] == "/login/?next=/go%3Fq%3Dkey"
