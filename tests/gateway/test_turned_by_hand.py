"""What an operator turns by hand holds at once, and no catalogue file turns it back."""

import tomllib
from collections.abc import Callable

import msgspec
import pytest
from django.core.exceptions import ValidationError

from accounts.audit import CONSOLE, AuditEntry
from gateway import catalog, catalog_file
from gateway.catalog import Route
from gateway.models import CatalogVersion, LanguageModel, ModelRoute, Provider

pytestmark = pytest.mark.django_db
FILE = """
[[providers]]
slug = "one"
name = "One"
base_url = "https://one.example/v1"

[[providers]]
slug = "two"
name = "Two"
base_url = "https://two.example/v1"

[[models]]
id = "mine/chat"
owned_by = "one"
routes = [
    { provider = "one", model = "chat", priority = 0, weight = 3 },
    { provider = "two", model = "chat", priority = 1 },
]

[[models]]
id = "mine/other"
owned_by = "one"
routes = [{ provider = "one", model = "other" }]
"""


@pytest.fixture(autouse=True)
def loaded() -> None:
    load()


def load(text: str = FILE) -> list[str]:
    return catalog_file.load(msgspec.convert(tomllib.loads(text), catalog_file.CatalogFile))


def ways() -> list[Route]:
    """To the first model, as gateways see them."""
    [offer] = [offer for offer in catalog.offers_now() if offer.model_id == "mine/chat"]
    return list(offer.routes)


def models() -> list[str]:
    return [offer.model_id for offer in catalog.offers_now()]


def row(provider: str = "one") -> ModelRoute:
    return ModelRoute.objects.get(model__model_id="mine/chat", provider__slug=provider)


def one() -> Provider:
    return Provider.objects.get(slug="one")


def test_a_weight_set_by_hand_survives_the_file_until_it_is_taken_back() -> None:
    row().set_weight(0, by=CONSOLE)

    said = load(FILE.replace("weight = 3", "weight = 5"))

    assert said == ["changed route mine/chat → One: chat"]
    assert ways()[0].weight == 0
    row().set_weight(None, by=CONSOLE)
    assert ways()[0].weight == 5


def test_a_priority_set_by_hand_changes_the_order_and_survives_the_file() -> None:
    assert [way.provider for way in ways()] == ["one", "two"]

    row("two").set_priority(0, by=CONSOLE)
    row().set_priority(2, by=CONSOLE)

    assert load() == []
    assert [(way.provider, way.priority) for way in ways()] == [("two", 0), ("one", 2)]
    row().set_priority(None, by=CONSOLE)
    assert [way.priority for way in ways()] == [0, 0]


@pytest.mark.parametrize("number", [-1, 1001])
def test_a_weight_or_priority_that_makes_no_sense_changes_nothing(number: int) -> None:
    for verb in (row().set_weight, row().set_priority):
        with pytest.raises(ValidationError, match="from 0 to 1,000"):
            verb(number, by=CONSOLE)

    assert (ways()[0].weight, ways()[0].priority) == (3, 0)


def test_a_model_switched_off_stays_off_through_a_load_and_comes_back_by_hand() -> None:
    LanguageModel.objects.get(model_id="mine/other").switch_off(by=CONSOLE)

    assert load() == []
    assert models() == ["mine/chat"]
    LanguageModel.objects.get(model_id="mine/other").switch_on(by=CONSOLE)
    assert models() == ["mine/chat", "mine/other"]


def test_a_model_that_left_the_file_and_returns_is_on_again_unless_somebody_switched_it_off() -> (
    None
):
    LanguageModel.objects.get(model_id="mine/other").switch_off(by=CONSOLE)

    load("")
    assert models() == []
    load()

    assert models() == ["mine/chat"]


def test_a_switched_off_route_stays_off_through_a_load() -> None:
    row().switch_off(by=CONSOLE)

    load(FILE.replace("weight = 3", "weight = 5"))

    assert [way.closed for way in ways()] == ["switched off", ""]


def test_a_drained_provider_gets_no_call_and_a_load_does_not_change_that() -> None:
    one().drain(by=CONSOLE)

    load(FILE.replace("one.example", "uno.example"))

    assert [way.closed for way in ways()] == ["drained", ""]
    assert catalog.switched_off_now() == frozenset()
    one().undrain(by=CONSOLE)
    assert [way.closed for way in ways()] == ["", ""]


def test_a_provider_that_is_switched_off_is_asked_for_nothing_and_says_why() -> None:
    one().switch_off("It answers in riddles.", by=CONSOLE)

    load(FILE.replace("one.example", "uno.example"))

    assert [way.closed for way in ways()] == ["provider switched off", ""]
    assert catalog.switched_off_now() == {"one"}
    assert one().switched_off_because == "It answers in riddles."
    one().switch_on(by=CONSOLE)
    assert [way.closed for way in ways()] == ["", ""]
    assert (catalog.switched_off_now(), one().switched_off_because) == (frozenset(), "")


def test_the_reason_is_on_record_with_the_provider() -> None:
    one().switch_off("It answers in riddles.", by=CONSOLE)

    entry = AuditEntry.objects.latest("number")
    assert (entry.about, entry.said) == ("one", [("reason", "It answers in riddles.")])


def test_a_number_set_by_hand_is_on_record() -> None:
    row().set_weight(7, by=CONSOLE)

    entry = AuditEntry.objects.latest("number")
    assert entry.about == "mine/chat → One: chat"
    assert entry.said == [("weight by hand", "7")]


def test_what_is_drained_or_off_already_is_left_alone_and_not_on_record_twice() -> None:
    provider = one()
    provider.drain(by=CONSOLE)
    provider.switch_off("First.", by=CONSOLE)
    entries, at = AuditEntry.objects.count(), one().switched_off_at

    provider.drain(by=CONSOLE)
    provider.switch_off("Second.", by=CONSOLE)

    assert AuditEntry.objects.count() == entries
    assert (one().switched_off_at, provider.switched_off_because) == (at, "First.")


VERBS: dict[str, Callable[[], None]] = {
    "drain": lambda: one().drain(by=CONSOLE),
    "switch off": lambda: one().switch_off("x", by=CONSOLE),
    "credential": lambda: one().set_credential("sk-12345678", by=CONSOLE),
    "weight": lambda: row().set_weight(1, by=CONSOLE),
    "priority": lambda: row().set_priority(1, by=CONSOLE),
    "model": lambda: LanguageModel.objects.get(model_id="mine/chat").switch_off(by=CONSOLE),
}


@pytest.mark.parametrize("verb", VERBS)
def test_gateways_see_another_version_after_each_verb(verb: str) -> None:
    before = CatalogVersion.objects.get().number

    VERBS[verb]()

    assert CatalogVersion.objects.get().number > before
