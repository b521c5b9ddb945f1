"""The Models pages: what can be called, through whom, and how it fared for everybody."""

import re
import time
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import SYSTEM
from dashboard.instance import ROOT
from gateway.catalog_file import load, read
from gateway.models import LanguageModel, ModelRoute
from tests.dashboard.conftest import Scene, part, text_of
from tests.gateway.conftest import load_catalog
from usage import model_hours
from usage.models import ModelHour

AGO = {"hours": 3600, "days": 86400}


@pytest.fixture
def scene(scene: Scene) -> Scene:
    load_catalog()
    return scene


def names_on(answer: Any) -> list[str]:
    return [listed.offer.model_id for listed in answer.context["listed"]]


def traffic(scene: Scene, number: int, ago: float = 0, **fields: object) -> None:
    """Calls of this account, some seconds ago, in the figures of everybody."""
    scene.calls(number, started_at=time.time() - ago, **fields)
    model_hours.sum_up(timezone.now(), timedelta(days=9))


@pytest.mark.parametrize("catalog", ["keyplex", "keymeai"])
def test_every_model_of_a_product_has_a_page(scene: Scene, catalog: str) -> None:
    LanguageModel.objects.all().delete()
    load(read(ROOT / "catalog" / f"{catalog}.toml"))

    listed = names_on(scene.owner.get("/models?show=all"))
    pages = {name: scene.owner.get("/models/" + quote(name)) for name in listed}

    assert len(listed) == LanguageModel.objects.count() > 10
    for name, page in pages.items():
        assert page.status_code == 200, name
        assert name in text_of(page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ECHO", ["keyplex/echo"]),
        ("q=back+slowly", ["keyplex/slow"]),
        ("q=3-small&kind=embedding", ["text-embedding-3-small"]),
        ("kind=embedding&owner=voyageai", ["voyage-3"]),
        ("q=gpt-4o-mini", ["openai/gpt-4o-mini"]),
        ("q=no+such+model", []),
    ],
)
def test_words_kind_and_owner_are_looked_for_in_the_address(
    scene: Scene, query: str, found: list[str]
) -> None:
    answer = scene.colleague.get(f"/models?show=all&{query}")

    assert answer.status_code == 200
    assert names_on(answer) == found
    assert ("Nothing matches" in text_of(answer)) is (not found)


def test_only_what_can_be_called_now_is_shown_until_somebody_asks_for_the_rest(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    usual, hidden = scene.owner.get("/models"), scene.owner.get("/models?q=gpt-4o-mini")
    link = re.search(r'href="(\?[^"]*show=all)"', hidden.content.decode())

    assert "keyplex/echo" in names_on(usual)
    assert "openai/gpt-4o-mini" not in names_on(usual)
    assert "more that cannot be called now" in text_of(usual)
    assert "None that can be called now" in text_of(hidden)
    assert link
    asked = scene.owner.get("/models" + link[1].replace("&amp;", "&"))
    assert names_on(asked) == ["openai/gpt-4o-mini"]


def test_a_model_that_only_fails_is_not_called_available(scene: Scene) -> None:
    failed = {"outcome": "upstream_error", "status_code": 503}
    traffic(scene, 3, model="keyplex/503", **failed)
    traffic(scene, 2, model="keyplex/429", **failed)
    traffic(scene, 3, model="keyplex/echo", **failed)
    traffic(scene, 1, model="keyplex/echo")

    listed = scene.stranger.get("/models").context["listed"]
    states = {row.offer.model_id: row.state[0] for row in listed}

    assert states["keyplex/503"] == "failing"
    assert states["keyplex/429"] == states["keyplex/echo"] == "available"
    assert "failing" in text_of(scene.stranger.get("/models/keyplex/503"))


def test_an_alias_is_found_and_leads_to_its_model(scene: Scene) -> None:
    row = LanguageModel.objects.get(model_id="keyplex/echo")
    row.aliases = ["mirror:free"]
    row.save()

    assert names_on(scene.owner.get("/models?q=mirror:free")) == ["keyplex/echo"]
    answer = scene.owner.get("/models/mirror:free")
    assert answer.status_code == 302
    assert answer["Location"] == "/models/keyplex/echo"
    assert "mirror:free" in text_of(scene.owner.get("/models/keyplex/echo"))


def test_an_address_that_makes_no_sense_is_explained(scene: Scene) -> None:
    answer = scene.owner.get("/models?kind=music&owner=nobody")

    assert answer.status_code == 422
    assert "There is no kind “music”." in text_of(answer)
    assert "Nobody of this name owns a model here." in text_of(answer)


def test_htmx_gets_the_list_alone(scene: Scene) -> None:
    answer = scene.owner.get("/models?q=echo", headers=part("models"))

    assert answer.content.decode().lstrip().startswith('<div id="models"')
    assert names_on(answer) == ["keyplex/echo"]


def test_members_of_any_role_look_and_others_do_not(scene: Scene, client: Client) -> None:
    for browser in (scene.owner, scene.colleague, scene.stranger):
        assert browser.get("/models/keyplex/echo").status_code == 200
    for path in ("/models", "/models/keyplex/echo"):
        assert "/login/" in client.get(path)["Location"]
        assert scene.owner.post(path).status_code == 405


def test_a_model_that_is_disabled_or_unknown_has_no_page(scene: Scene) -> None:
    LanguageModel.objects.filter(model_id="keyplex/slow").update(disabled_at=timezone.now())

    assert scene.owner.get("/models/keyplex/slow").status_code == 404
    assert scene.owner.get("/models/no/such:model").status_code == 404
    assert "keyplex/slow" not in names_on(scene.owner.get("/models"))


def test_ways_to_a_model_are_told_as_callers_meet_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    page = "/models/openai/gpt-4o-mini"

    def states() -> list[str]:
        return [word for _, word, _ in scene.owner.get(page).context["listed"].routes]

    ways = len(states())
    assert states() == ["not configured"] * ways
    assert "until an operator of this site sets up" in text_of(scene.owner.get(page))
    monkeypatch.setenv("OPENAI_API_KEY", "a secret that no page may tell")
    assert "available" in states()
    assert "a secret" not in text_of(scene.owner.get(page))
    for route in ModelRoute.objects.filter(model__model_id="openai/gpt-4o-mini"):
        route.switch_off(by=SYSTEM)
    assert states() == ["switched off"] * ways


def test_pace_and_availability_are_those_of_everybody(scene: Scene) -> None:
    traffic(scene, 8, latency_ms=240, ttft_ms=90)
    traffic(scene, 2, outcome="upstream_error", status_code=503)
    traffic(scene, 5, outcome="refused", status_code=429, lease="")
    traffic(scene, 5, outcome="client_disconnect", status_code=499)
    traffic(scene, 10, ago=3 * AGO["days"], latency_ms=4_000)

    day, week = (
        figures for _, figures in scene.stranger.get("/models/keyplex/echo").context["periods"]
    )

    assert (day.ok, day.failed, day.availability) == (8, 2, 0.8)
    assert 200 < day.median_ms < 300
    assert 75 < day.first_token_ms < 105
    assert (week.seen, week.availability) == (20, 0.9)
    assert week.median_ms > 3_000
    row = text_of(scene.stranger.get("/models?q=echo"))
    assert "80 %" in row
    assert "no recent traffic" not in row


def test_where_nobody_called_nothing_is_claimed(scene: Scene) -> None:
    traffic(scene, 3, ago=8 * AGO["days"])

    assert "no recent traffic" in text_of(scene.owner.get("/models?q=echo"))
    assert "No recent traffic" in text_of(scene.owner.get("/models/keyplex/echo"))


def test_a_page_names_nobody_and_counts_nobody(scene: Scene) -> None:
    traffic(scene, 1234, latency_ms=240, end_user="alice")

    for path in ("/models", "/models/keyplex/echo"):
        page = text_of(scene.stranger.get(path))
        assert "1,234" not in page
        assert "1234" not in page
        assert "alice" not in page
        assert scene.key.account.name not in page


def test_hours_are_summed_anew_not_added_twice(scene: Scene) -> None:
    traffic(scene, 3, latency_ms=240)
    model_hours.sum_up(timezone.now())
    traffic(scene, 2, latency_ms=240)

    [hour] = ModelHour.objects.all()
    assert (hour.ok, sum(hour.latency_histogram)) == (5, 5)


def test_old_hours_are_forgotten(scene: Scene) -> None:
    now = timezone.now()
    for days in (1, 30, 32):
        ModelHour.objects.create(hour=now - timedelta(days=days), model="m", ok=1)

    model_hours.forget(now)

    assert ModelHour.objects.count() == 2


@pytest.mark.parametrize(("path", "questions"), [("/models", 3), ("/models/keyplex/echo", 5)])
def test_a_page_asks_few_questions_however_many_models_there_are(
    scene: Scene, path: str, questions: int
) -> None:
    with CaptureQueriesContext(connection) as asked:
        scene.owner.get(path)

    ours = [query for query in asked if re.search("gateway_|modelhour", query["sql"])]
    assert len(ours) == questions
    assert not [query for query in ours if "usage_usagehour" in query["sql"]]
