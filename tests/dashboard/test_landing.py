"""The front door says what is so on this server, in the looks of its product."""

import re
from typing import Any

import msgspec
import pytest
from django.conf import settings as configured
from django.test import Client
from pytest_django import Settings

from accounts.audit import SYSTEM
from dashboard import measured
from dashboard.docs.contents import PAGES
from dashboard.docs.filling import fill
from dashboard.instance import ROOT
from dashboard.models import Incident
from dashboard.snippets import snippets
from dashboard.status import kept
from gateway import product
from gateway.brand import Library, Links
from tests.dashboard.conftest import browser_of, text_of
from tests.gateway.conftest import load_catalog
from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(db: None) -> None:
    kept.forget()


def show(settings: Settings, **changes: Any) -> None:
    settings.PRODUCT = msgspec.structs.replace(configured.PRODUCT, **changes)


def test_a_first_call_stands_there_in_three_languages_ready_to_paste(client: Client) -> None:
    page = client.get("/").content.decode()

    shown = [re.sub(r"<[^>]+>", "", code) for code in re.findall(r"<pre id=.*?</pre>", page, re.S)]
    body = {
        "model": configured.PRODUCT.first_model,
        "messages": [{"role": "user", "content": "Hello, world!"}],
    }
    wanted = [snippet.code.strip() for snippet in snippets("chat/completions", body)]
    read = [code.replace("&quot;", '"').replace("&#39;", "'").strip() for code in shown]
    assert read == wanted


def test_it_names_every_maker_of_the_catalogue_and_none_of_its_practice_models(
    client: Client,
) -> None:
    load_catalog("keyplex")

    text = text_of(client.get("/"))

    for maker in ("OpenAI", "Anthropic", "Google", "xAI", "Mistral AI", "Meta", "DeepSeek"):
        assert f" {maker} " in text
    assert "keyplex/503" not in text


def test_models_that_nobody_serves_here_are_said_to_be_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_catalog("keyplex")
    names = ("OPENROUTER", "OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE", "XAI", "MISTRAL", "VOYAGE")
    for name in names:
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
    alone = text_of(client.get("/"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    some = text_of(client.get("/"))

    assert "No provider is connected to this server" in alone
    assert "No provider is connected" not in some
    assert "OpenAI gpt-5.2" in some
    assert "xAI not connected here" in some


def test_its_refusal_is_the_one_that_a_newcomer_gets(client: Client) -> None:
    load_catalog("keyplex")

    text = text_of(client.get("/"))

    assert (
        "Rate limit reached: your plan allows 20 requests per minute, 20 are used and this request "
        "asks for 1. It would pass in 14 s."
    ) in text


def test_figures_are_those_that_were_measured(client: Client) -> None:
    report = (ROOT / "docs" / "performance.md").read_text()

    text = text_of(client.get("/"))

    added, calls, memory = measured.figures()
    assert f"| {calls.value} |" in report
    assert f"| {memory.value} |" in report
    assert f"{calls.meaning} {calls.value} {calls.unit}" in text
    assert float(added.value) == round(float(measured.row(report, measured.ADDED)[1]), 1)


def test_without_a_report_nothing_is_said_of_speed(tmp_path: Any) -> None:
    empty = tmp_path / "performance.md"
    empty.write_text("# Performance\n")

    assert measured.figures(empty) == ()


def test_the_state_of_the_server_stands_on_top(client: Client) -> None:
    before = text_of(client.get("/"))
    Incident.objects.open("Calls fail", "We look.", by=SYSTEM, impact="major", parts=["api"])
    kept.forget()
    trouble = text_of(client.get("/"))

    assert "incident" not in before
    assert "We are at work on an incident: Calls fail." in trouble


def test_a_visitor_is_asked_in_and_a_member_shown_the_way_back(client: Client) -> None:
    owner = make_user()
    make_account(owner)

    visitor, member = client.get("/").content.decode(), browser_of(owner).get("/").content.decode()

    assert 'href="/signup/">Create your free account</a>' in visitor
    assert "Create your free account" not in member
    assert 'href="/overview">Go to your overview</a>' in member
    for guide in ("openai", "anthropic", "openrouter"):
        assert f'href="/docs/migrate-{guide}"' in visitor


def test_a_product_without_a_tagline_is_told_in_neutral_words(
    client: Client, settings: Settings
) -> None:
    show(settings, name="Another", tagline="")

    page = client.get("/").content.decode()

    assert "<title>Another: One key for many models.</title>" in page
    assert "Books that balance." not in page.partition("</h1>")[0]


def test_the_second_product_has_its_own_words_and_colours(
    client: Client, settings: Settings
) -> None:
    settings.PRODUCT = product.read(ROOT / "catalog" / "keymeai.toml")

    page = client.get("/").content.decode()

    style = re.search(r'rel="stylesheet" href="(/brand/\w{12}\.css)"', page)
    icon = re.search(r'rel="icon" href="(/brand/\w{12}\.svg)"', page)
    assert style
    assert icon
    assert configured.PRODUCT.tagline
    assert text_of(client.get("/")).count(configured.PRODUCT.tagline) == 2
    sheet, mark = client.get(style[1]), client.get(icon[1])
    assert "--accent: light-dark(#7a2fa8, #c99bff);" in sheet.content.decode()
    assert b'stop-color="#7a2fa8"' in mark.content
    for answer, kind in ((sheet, "text/css"), (mark, "image/svg+xml")):
        assert answer["Content-Type"].startswith(kind)
        assert "immutable" in answer["Cache-Control"]


def test_colours_under_another_name_are_right_but_not_kept(
    client: Client, settings: Settings
) -> None:
    usual = client.get("/brand/000000000000.css")
    settings.PRODUCT = product.read(ROOT / "catalog" / "keymeai.toml")

    earlier, other = client.get("/brand/000000000000.css"), client.get("/brand/0.js")

    assert (usual.status_code, other.status_code) == (404, 404)
    assert "#7a2fa8" in earlier.content.decode()
    assert earlier["Cache-Control"] == "no-store"


def test_only_links_that_are_named_are_shown(client: Client, settings: Settings) -> None:
    before = client.get("/").content.decode()
    swift = Library("keys-for-swift", "https://code.example/swift", "Swift", "Some People")
    show(
        settings,
        links=Links(
            github="https://code.example/it",
            sdk_js="https://code.example/js",
            terms="https://a.example/terms",
            community=(swift,),
        ),
    )
    after, sdks = client.get("/").content.decode(), fill(PAGES["sdks"])

    for word in ("GitHub", "Terms", "Privacy"):
        assert f">{word}</a>" not in before
    assert '<a href="https://code.example/it">GitHub</a>' in after
    assert '<a href="https://a.example/terms">Terms</a>' in after
    assert ">Privacy</a>" not in after
    assert "Their source: [Node](https://code.example/js)." in sdks
    assert "| Swift | [keys-for-swift](<https://code.example/swift>) | Some People |" in sdks


def test_without_clients_of_others_the_page_about_sdks_says_nothing_of_them() -> None:
    assert "From the community" not in fill(PAGES["sdks"])


def test_enterprise_says_what_there_is_and_what_there_is_not(client: Client) -> None:
    load_catalog("keyplex")

    page = client.get("/enterprise")

    text = text_of(page)
    assert "Enterprise is the plan" in text
    assert "365 days instead of 30" in text
    assert "SAML, OpenID Connect) is not part of the product" in text
    assert 'href="/sales">Talk to us</a>' in page.content.decode()
    assert 'href="/enterprise"' in client.get("/pricing").content.decode()


def test_addresses_that_people_type_lead_on_with_what_they_carry(client: Client) -> None:
    for path in ("signup", "login"):
        assert client.get(f"/{path}?next=/keys")["Location"] == f"/{path}/?next=/keys"


@pytest.mark.parametrize("path", ["/", "/enterprise", "/brand/0.css"])
def test_they_can_only_be_looked_at(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
