"""A catalogue file is loaded whole or not at all, and a second time it changes nothing."""

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing.models import Plan
from dashboard.instance import ROOT
from dashboard.signup import open_account
from gateway.catalog_file import read
from gateway.models import CatalogVersion, LanguageModel, ModelRoute
from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db
SMALL = """
[product]
name = "Small"
key_prefix = "sm-"
base_path = "/v1"
first_model = "mine/echo"

[[plans]]
slug = "monthly"
name = "Monthly"
limits = { requests_per_minute = 60 }

[[providers]]
slug = "mine"
name = "Mine"
base_url = "https://models.example/v1"
credential_env = "MINE_API_KEY"

[[providers]]
slug = "here"
name = "Here"
base_url = "/sandbox/v1"

[[models]]
id = "mine/echo"
owned_by = "me"
routes = [{ provider = "here", model = "echo" }]

[[models]]
id = "mine/chat"
owned_by = "mine"
aliases = ["chat"]
input_price = 0.075
output_price = "14.10"
routes = [{ provider = "mine", model = "chat-1" }]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def load(path: Path, stderr: StringIO | None = None) -> str:
    said = StringIO()
    call_command("load_catalog", str(path), stdout=said, stderr=stderr or StringIO())
    return said.getvalue()


def test_who_loads_another_product_is_told_what_stays_until_a_start(path: Path) -> None:
    about_another, about_ours = StringIO(), StringIO()

    load(path, about_another)
    load(ROOT / "catalog" / "keyplex.toml", about_ours)

    assert "still those of Keyplex until" in about_another.getvalue()
    assert f"KEYPLEX_CATALOG={path}" in about_another.getvalue()
    assert about_ours.getvalue() == ""


def test_newcomers_get_the_first_plan_on_offer(path: Path) -> None:
    load(path)
    path.write_text(
        SMALL.replace(
            "[[plans]]", '[[plans]]\nslug = "trial"\nname = "Trial"\ntrial = true\n[[plans]]'
        )
    )
    load(path)
    first = open_account(make_user()).subscription

    path.write_text(SMALL)
    load(path)
    second = open_account(make_user()).subscription

    assert (first.plan.slug, first.status) == ("trial", "incomplete")
    assert (second.plan.slug, second.status) == ("monthly", "active")


def test_a_second_time_nothing_changes(path: Path) -> None:
    first, version = load(path), CatalogVersion.objects.get().number

    second = load(path)

    assert "added plan monthly" in first
    assert "added language model mine/chat" in first
    assert second == "Nothing changed.\n"
    assert CatalogVersion.objects.get().number == version


@pytest.mark.parametrize("product", ["keyplex", "keymeai"])
def test_our_own_products_change_nothing_a_second_time(product: str) -> None:
    path = ROOT / "catalog" / f"{product}.toml"
    assert load(path) != "Nothing changed.\n"

    assert load(path) == "Nothing changed.\n"


def test_prices_are_kept_digit_by_digit_and_a_model_may_have_none(path: Path) -> None:
    load(path)

    echo, chat = LanguageModel.objects.order_by("position")

    assert (chat.input_price, chat.output_price) == (Decimal("0.075"), Decimal("14.1"))
    assert (echo.input_price, echo.output_price) == (None, None)


def test_another_price_is_said_and_one_that_is_gone_is_forgotten(path: Path) -> None:
    load(path)

    path.write_text(SMALL.replace("0.075", "0.08"))
    cheaper = load(path)
    path.write_text(SMALL.replace("input_price = 0.075", "").replace('output_price = "14.10"', ""))
    without = load(path)

    assert "changed language model mine/chat: input_price\n1 change" in cheaper
    assert "changed language model mine/chat: input_price, output_price\n1 change" in without
    assert LanguageModel.objects.get(model_id="mine/chat").input_price is None


@pytest.mark.parametrize("product", ["keyplex", "keymeai"])
def test_what_this_very_server_answers_costs_nothing(product: str) -> None:
    models = read(ROOT / "catalog" / f"{product}.toml").models

    ours = [(m.input_price, m.output_price) for m in models if m.owned_by == product]

    assert set(ours) == {(0, 0)}


def test_what_changes_is_said_and_gateways_see_another_version(path: Path) -> None:
    load(path)
    version = CatalogVersion.objects.get().number

    path.write_text(
        SMALL.replace("chat-1", "chat-2").replace('owned_by = "mine"', 'owned_by = "me"')
    )
    said = load(path)

    assert "changed language model mine/chat: owned_by" in said
    assert ModelRoute.objects.get(provider__slug="mine").upstream_model == "chat-2"
    assert CatalogVersion.objects.get().number > version


def test_what_is_gone_from_the_file_is_put_away_and_not_deleted(path: Path) -> None:
    load(path)

    path.write_text("")
    load(path)

    assert not LanguageModel.objects.filter(disabled_at=None).exists()
    assert Plan.objects.get().retired_at


@pytest.mark.parametrize(
    ("old", "new"), [("60", "10"), ('"Monthly"', '"Monthly"\nretention_class = "extended"')]
)
def test_other_terms_of_a_plan_hold_at_once_for_who_is_on_it(
    path: Path, old: str, new: str
) -> None:
    load(path)
    account = make_account(plan=Plan.objects.get())
    other = make_account(plan=Plan.objects.create(slug="other", name="Other"))
    epochs = account.epoch, other.epoch

    path.write_text(SMALL.replace(old, new))
    load(path)

    account.refresh_from_db()
    other.refresh_from_db()
    assert (account.epoch, other.epoch) == (epochs[0] + 1, epochs[1])


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("[[plans]]", "[[plans", "Expected"),
        ("requests_per_minute", "requests_per_second", "is not a limit"),
        ("= 60", "= -1", "at least 0"),
        ('owned_by = "mine"', "owned_by = 7", "Expected `str`"),
        ("owned_by", "owned", "unknown field `owned`"),
        ('provider = "mine"', 'provider = "yours"', "which is not listed"),
        ('aliases = ["chat"]', 'aliases = ["chat", "mine/chat"]', "more than one model"),
        ('"mine/echo"\n\n', '"mine/chat"\n\n', "'mine/chat' is no model that this very server"),
        ('"mine/echo"\n\n', '"none"\n\n', "'none' is no model that this very server"),
        ('"sm-"', '"sm"', "matching regex"),
        ('"/v1"', '"/v2"', "Invalid enum value '/v2'"),
        ("key_prefix", "prefix", "unknown field `prefix`"),
        ("0.075", "-1", "input_price of mine/chat: .* greater than or equal to 0"),
        ("0.075", "0.00001", "input_price of mine/chat: .* no more than 4 decimal places"),
        ("0.075", "nan", "input_price of mine/chat: .* must be a decimal number"),
        ("14.10", "cheap", "Invalid decimal string"),
        ("input_price = 0.075", "", "mine/chat needs both input_price and output_price"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_loaded(
    path: Path, right: str, wrong: str, complaint: str
) -> None:
    path.write_text(SMALL.replace(right, wrong, 1))

    with pytest.raises(CommandError, match=complaint) as error:
        load(path)

    assert str(path) in str(error.value)
    assert not Plan.objects.exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.toml"):
        load(tmp_path / "none.toml")
