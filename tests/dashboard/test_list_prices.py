"""The same use at list prices: exact, of one account, and silent about no model without a price."""

import doctest
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dashboard import list_prices
from dashboard.list_prices import ListCost, ListPrice, ModelCost, at_list_prices
from gateway.models import LanguageModel
from tests.dashboard.conftest import Scene, text_of
from tests.gateway.conftest import load_catalog
from tests.people import make_key

DAY = timedelta(days=1)
TOKENS = st.integers(0, 10**12)
PRICES = st.decimals(0, 1000, places=4)


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """A catalogue in which ``dear`` costs 1.75 and 14, and ``other`` has no price."""
    load_catalog()
    add("dear", Decimal("1.75"), Decimal(14))
    add("other")
    return scene


def add(name: str, *prices: Decimal) -> None:
    named = dict(zip(("input_price", "output_price"), prices, strict=False))
    LanguageModel.objects.create(model_id=name, created_at=timezone.now(), **named)


def lately(scene: Scene) -> ListCost:
    now = timezone.now()
    return at_list_prices(scene.key.account.pk, now - DAY, now)


def test_what_the_docstrings_show_is_true() -> None:
    assert doctest.testmod(list_prices).failed == 0


def test_use_costs_what_the_list_says(scene: Scene) -> None:
    scene.call(model="dear", prompt_tokens=1_000_000, completion_tokens=500_000)
    scene.call(model="dear", prompt_tokens=1, completion_tokens=0)

    found = lately(scene)

    assert found.rows == (ModelCost("dear", 1_000_001, 500_000, Decimal("8.75000175")),)
    assert found.total == Decimal("8.75000175")
    assert found.unpriced == []


def test_a_model_without_a_price_is_named_and_never_free(scene: Scene) -> None:
    scene.call(model="dear", prompt_tokens=1_000_000)
    scene.call(model="other", prompt_tokens=10)
    scene.call(model="of long ago", prompt_tokens=5)

    found = lately(scene)

    assert found.total == Decimal("1.75")
    assert found.unpriced == ["other", "of long ago"]
    assert [row.cost for row in found.rows] == [Decimal("1.75"), None, None]


def test_a_model_that_is_free_is_priced(scene: Scene) -> None:
    scene.call(model="keyplex/echo", prompt_tokens=10, completion_tokens=10)

    assert lately(scene).rows == (ModelCost("keyplex/echo", 10, 10, Decimal(0)),)


def test_a_model_that_left_the_catalogue_keeps_its_last_price(scene: Scene) -> None:
    scene.call(model="dear", prompt_tokens=1_000_000)
    LanguageModel.objects.filter(model_id="dear").update(disabled_at=timezone.now())

    assert lately(scene).total == Decimal("1.75")


def test_a_model_with_half_a_price_has_none(scene: Scene) -> None:
    add("half", Decimal(1))
    scene.call(model="half", prompt_tokens=1_000_000)

    assert lately(scene).unpriced == ["half"]


def test_calls_that_used_nothing_are_not_listed(scene: Scene) -> None:
    scene.call(model="other", outcome="refused", status_code=429, lease="")

    assert lately(scene) == ListCost(())
    assert lately(scene).total == 0


def test_use_of_a_colleague_counts_and_that_of_a_stranger_does_not(scene: Scene) -> None:
    colleague, stranger = make_key(scene.key.account), make_key()
    for key, tokens in ((scene.key, 1_000_000), (colleague, 2_000_000), (stranger, 4_000_000)):
        made_with = {"account_id": key.account.pk, "api_key_id": key.api_key.pk}
        scene.call(model="dear", prompt_tokens=tokens, **made_with)

    assert lately(scene).total == 3 * Decimal("1.75")


def test_only_use_within_the_period_counts(scene: Scene) -> None:
    now = timezone.now()
    for days in (1, 3, 5):
        at = (now - days * DAY).timestamp()
        scene.call(model="dear", prompt_tokens=1_000_000, started_at=at)

    found = at_list_prices(scene.key.account.pk, now - 4 * DAY, now - 2 * DAY)

    assert found.total == Decimal("1.75")


@given(st.lists(st.tuples(TOKENS, TOKENS, PRICES, PRICES), max_size=5))
def test_no_digit_is_lost_in_a_sum(used: list[tuple[int, int, Decimal, Decimal]]) -> None:
    rows = [
        ModelCost("m", prompt, completion, ListPrice(dear, dearer).of(prompt, completion))
        for prompt, completion, dear, dearer in used
    ]
    exact = sum(
        prompt * int(dear * 10_000) + completion * int(dearer * 10_000)
        for prompt, completion, dear, dearer in used
    )

    assert ListCost(tuple(rows)).total * 10**10 == exact


def test_everybody_reads_the_price_on_the_page_of_a_model(scene: Scene) -> None:
    for browser in (scene.owner, scene.colleague, scene.stranger):
        priced, unpriced = (text_of(browser.get(f"/models/{name}")) for name in ("dear", "other"))
        assert "Input $1.75, output $14.00 per million tokens" in priced
        assert "List price not priced" in unpriced
