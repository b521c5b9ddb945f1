"""Both products say what their documentation says: models, plans, limits, keys, addresses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as configured
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from accounts.audit import SYSTEM
from accounts.models import User
from billing.models import Plan, Subscription
from dashboard.instance import ROOT
from dashboard.signup import open_account
from gateway import product
from gateway.models import LanguageModel
from tests.gateway.conftest import Recorded, load_catalog
from tests.gateway.scripted import Scripted, scripted_provider
from tests.gateway.seed_tables import BASES, KEYS, MODELS, PLANS
from tests.gateway.site import Site
from tests.gateway.test_bad_input import check
from tests.people import make_account, make_key, make_user

pytestmark = pytest.mark.django_db(transaction=True)
USER = {"role": "user", "content": "Hello"}
ANSWER = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
NAMES = {  # in each style, and the model that is meant
    "gpt-5.2": "gpt-5.2",
    "openai/gpt-5.2": "gpt-5.2",
    "openai/gpt-4o": "openai/gpt-4o",
    "gpt-4o": "openai/gpt-4o",
    "claude-3-5-sonnet-20241022": "anthropic/claude-3.5-sonnet",
    "google/gemini-2.0-flash-exp:free": "google/gemini-2.0-flash-exp:free",
    "gemini-2.0-flash-exp": "google/gemini-2.0-flash-exp:free",
    "deepseek-chat": "deepseek/deepseek-chat",
    "x-ai/grok-4": "grok-4",
}


@dataclass
class Running:
    """One product: its name in small letters, and a client at the address that its pages show."""

    name: str
    site: Site
    api: httpx.Client

    def answered_by(self, provider: Scripted) -> None:
        """From now on by that one instead of all others, under the rules of each."""
        provider.says(ANSWER)
        provider.answers_for_all()
        self.site.see_catalog()

    def models(self) -> dict[str, dict[str, Any]]:
        listing = self.api.get("models", headers=make_key().headers).json()
        return {model["id"]: model for model in listing["data"]}

    def ask(self, model: str, **fields: object) -> httpx.Response:
        body = {"model": model, "messages": [USER]} | fields
        return self.api.post("chat/completions", headers=make_key().headers, json=body)


@pytest.fixture(scope="session")
def second_site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    site = Site(workers=1, catalog="catalog/keymeai.toml")
    with django_db_blocker.unblock():
        site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture(params=["keyplex", "keymeai"])
def running(request: pytest.FixtureRequest) -> Running:
    found: Running = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def keyplex(site: Site) -> Iterator[Running]:
    with httpx.Client(base_url=f"{site.url}/api/v1/", timeout=30) as api:
        site.see_catalog()
        yield Running("keyplex", site, api)


@pytest.fixture
def keymeai(second_site: Site, transactional_db: None, settings: Settings) -> Iterator[Running]:
    """The second product, in its own processes and in this one."""
    load_catalog("keymeai")
    settings.PRODUCT = product.read(ROOT / "catalog" / "keymeai.toml")
    with httpx.Client(base_url=f"{second_site.url}/v1/", timeout=30) as api:
        second_site.see_catalog()
        yield Running("keymeai", second_site, api)


@pytest.fixture
def everybody() -> Iterator[Scripted]:
    """One provider that can answer for all of them."""
    with scripted_provider() as provider:
        yield provider


def as_id(provider: str) -> str:
    """The name of a provider as ``owned_by`` writes it, hyphens aside."""
    return provider.lower().replace(" ", "")


def test_the_models_are_those_of_the_tables(running: Running) -> None:
    listed = running.models()

    for line, name, promised in MODELS[running.name]:
        said = listed[name] | {"owned_by": listed[name]["owned_by"].replace("-", "")}
        if "owned_by" in promised:
            promised = promised | {"owned_by": as_id(promised["owned_by"])}
        assert said | promised == said, line


def test_whatever_is_listed_is_one_model_and_every_other_name_of_it_is_said(
    running: Running,
) -> None:
    listed = running.models()

    names = [name for model in listed.values() for name in (model["id"], *model["aliases"])]
    assert len(names) == len(set(names))
    for name in names:
        found = running.api.get(f"models/{name}", headers=make_key().headers).json()
        assert found["id"] == name


def test_every_model_answers_and_each_provider_hears_its_own_name_of_it(
    running: Running, everybody: Scripted
) -> None:
    running.answered_by(everybody)
    real = LanguageModel.objects.filter(kind="chat").exclude(owned_by=running.name)
    first = [(model.model_id, model.routes.all()[0].upstream_model) for model in real]

    answers = [running.ask(model) for model, _ in first]

    assert [answer.json().get("model") for answer in answers] == [model for model, _ in first]
    assert [heard["model"] for heard in everybody.heard] == [theirs for _, theirs in first]


def test_the_answer_has_the_name_that_was_used_and_the_log_the_model(
    keyplex: Running, everybody: Scripted, recorded: Recorded
) -> None:
    keyplex.answered_by(everybody)

    for name, meant in NAMES.items():
        answer = keyplex.ask(name)

        assert answer.json()["model"] == name
        row = recorded(answer.headers["x-request-id"])
        assert (row.requested_model, row.model) == (name, meant)


def test_the_plans_are_those_of_the_tables_and_the_headers_say_so(running: Running) -> None:
    names = list(Plan.objects.on_offer().values_list("name", flat=True))

    assert names == [name for _, name, _ in PLANS[running.name]]
    for line, name, amounts in PLANS[running.name]:
        key = make_key(make_account(plan=Plan.objects.get(name=name)))
        headers = running.api.get("models", headers=key.headers).headers
        said = {
            header.removeprefix("x-ratelimit-limit-"): int(value)
            for header, value in headers.items()
            if header.startswith("x-ratelimit-limit-")
        }
        assert said == amounts, line


def test_what_has_no_hard_limit_has_a_soft_one_and_what_is_agreed_has_none(
    keymeai: Running,
) -> None:
    standard, scale = Plan.objects.get(slug="standard"), Plan.objects.get(slug="scale")

    assert (standard.hard_limits, scale.limits) == ({}, {})
    assert standard.limits["soft_tokens_per_month"] > 5_000_000


def test_a_newcomer_gets_the_first_plan_and_a_first_call_that_works(running: Running) -> None:
    account = open_account(make_user(), vouched_for_by=SYSTEM)
    key = make_key(account)

    answer = running.api.post(
        "chat/completions",
        headers=key.headers,
        json={"model": configured.PRODUCT.first_model, "messages": [USER]},
    )

    _, first, _ = PLANS[running.name][0]
    assert re.fullmatch(KEYS[running.name], key.plaintext)
    assert running.api.base_url.path == configured.PRODUCT.base_path + "/" == BASES[running.name]
    assert answer.json()["choices"][0]["message"]["content"] == "Hello"
    subscription = Subscription.objects.get(account=account)
    assert subscription.plan.name == first
    assert subscription.status == ("trialing" if running.name == "keyplex" else "active")


def test_the_hundredth_request_of_a_free_day_is_the_last(keymeai: Running) -> None:
    key = make_key(make_account(plan=Plan.objects.get(slug="free")))
    body = {"model": "keymeai/echo", "messages": [USER]}

    answers = [
        keymeai.api.post("chat/completions", headers=key.headers, json=body) for _ in range(101)
    ]

    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert answers[-2].headers["x-ratelimit-remaining-requests-day"] == "0"
    assert answers[-1].status_code == 429


def test_a_temperature_of_0_7_is_sent_where_none_is_asked_for(
    keymeai: Running, everybody: Scripted
) -> None:
    keymeai.answered_by(everybody)

    for model in ("deepseek-chat", "doubao-pro-32k", "qwen-max", "qwen-plus"):
        keymeai.ask(model)
    keymeai.ask("qwen-max", temperature=1.5)
    keymeai.ask("deepseek-reasoner")

    assert [heard.get("temperature") for heard in everybody.heard] == [0.7] * 4 + [1.5, None]


def test_keyplex_leaves_the_temperature_to_the_provider(
    keyplex: Running, everybody: Scripted
) -> None:
    keyplex.answered_by(everybody)

    keyplex.ask("gpt-4o")

    assert "temperature" not in everybody.heard[0]


def test_a_key_of_another_product_is_told_what_ours_begin_with(keymeai: Running) -> None:
    theirs = {"Authorization": "Bearer kpx_" + "a" * 48}

    refused = keymeai.api.get("models", headers=theirs)
    nobody = keymeai.api.get("models")

    assert "begin with km-" in check(refused, 401, "invalid_api_key")
    assert "Bearer km-…" in check(nobody, 401, "missing_api_key")


def test_both_addresses_always_work(running: Running) -> None:
    key = make_key()

    for path in ("/v1/models", "/api/v1/models"):
        address = running.api.base_url.copy_with(path=path)
        answer = running.api.get(address, headers=key.headers)
        assert answer.status_code == 200, answer.text


def test_an_operator_changes_a_product_in_its_file_alone(
    settings: Settings, tmp_path: Path
) -> None:
    load_catalog("keymeai")
    path, text = tmp_path / "mine.toml", (ROOT / "catalog" / "keymeai.toml").read_text()
    earlier = make_key()
    changes = 'key_prefix = "new_"\naccepted_prefixes = ["kpx_"]\nunknown_model = 400'
    path.write_text(text.replace('key_prefix = "km-"', changes))
    settings.PRODUCT = product.read(path)
    now = make_key()
    site = Site(workers=1, catalog=str(path))
    site.start()

    answers = [
        httpx.get(f"{site.url}/v1/models{name}", headers=key.headers)
        for key in (earlier, now)
        for name in ("", "/gpt-999")
    ]

    assert site.stop() == 0
    assert (earlier.plaintext[:4], now.plaintext[:4]) == ("kpx_", "new_")
    assert [answer.status_code for answer in answers] == [200, 400, 200, 400]
    check(answers[-1], 400, "invalid_model", "model")


@pytest.mark.parametrize(
    "path", ["/", "/pricing", "/login/", "/signup/", "/mailbox", "/overview", "/keys", "/billing"]
)
def test_no_page_of_the_second_product_names_the_first(keymeai: Running, path: str) -> None:
    browser = Client()
    if path in ("/overview", "/keys", "/billing"):
        owner = make_user()
        open_account(owner)
        browser.force_login(User.objects.get(pk=owner.pk))

    page = browser.get(path).content.decode()

    assert "KeyMeAI" in page
    assert not re.search(r"Keyplex|keyplex/|kpx_|/api/v1", page)
    if path in ("/", "/overview"):
        assert "/v1/chat/completions" in page
        assert "keymeai/echo" in page


def test_the_front_door_shows_the_limits_of_each_plan(keymeai: Running) -> None:
    page = Client().get("/").content.decode()

    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "Plan Price Requests a day Tokens a month Request log" in text
    assert "Free free 100 – 30 days" in text
    assert "Hobby $9.00 a month – 5,000,000 30 days" in text
    assert "Standard $29.00 a month no hard limit, fair use 30 days" in text
    assert "Scale – agreed with you 365 days" in text


def test_dimensions_and_the_longest_input_of_an_embedding_are_enforced(keyplex: Running) -> None:
    headers = make_key().headers
    embeddings = [row for row in MODELS["keyplex"] if "dimensions" in row[2]]

    for _, model, promised in embeddings:
        most, longest = promised["dimensions"], promised["context_window"]
        more = {"model": model, "input": "Hi", "dimensions": most + 1}
        longer = {"model": model, "input": [7] * (longest + 1)}

        refused = [
            keyplex.api.post("embeddings", headers=headers, json=body) for body in (more, longer)
        ]

        assert f"at most {most} " in check(refused[0], 400, "invalid_value", "dimensions")
        assert f"{longest} tokens" in check(refused[1], 400, "context_length_exceeded", "input")
    assert len(embeddings) == 3
