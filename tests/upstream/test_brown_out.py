"""A provider that fades is left alone, and used again when it has recovered."""

import logging
import time

import pytest

from tests.upstream.behaviours_silence import fading
from tests.upstream.rig import Dish, Rig

log = logging.getLogger(__name__)
DEADLINES = {"connect": 1, "first_byte": 0.5, "idle": 0.5, "total": 3}
DISHES = {name: Dish("brown-out", deadlines=DEADLINES, spare=True) for name in ("dies", "heals")}
LET_ALONE = 20  # requests in a row that the faded provider does not see
OPENS_WITHIN = 30.0  # seconds
OPEN_FOR = 30.0  # seconds until a breaker lets one request through again


@pytest.fixture(scope="module")
def stage(rig: Rig) -> Rig:
    rig.serve(DISHES.values())
    return rig


def fade(rig: Rig, dish: Dish) -> tuple[int, float]:
    """Ask until the fading provider is let alone: after how many requests and seconds."""
    begun, asked, alone = time.monotonic(), 0, 0
    while alone < LET_ALONE:
        before, asked = len(rig.traces(dish)), asked + 1
        assert rig.ask(dish).status == 200
        alone = alone + 1 if len(rig.traces(dish)) == before else 0
        seconds = time.monotonic() - begun
        assert seconds <= OPENS_WITHIN, f"after {asked} requests it is still asked"
    return asked - LET_ALONE, seconds


def test_another_provider_takes_over_and_no_client_notices(stage: Rig) -> None:
    fading.heal()

    number, seconds = fade(stage, DISHES["dies"])

    log.warning("let alone after %d requests and %.1f s", number, seconds)
    assert stage.zoo.busy(DISHES["dies"].case) == 0


@pytest.mark.t2
def test_a_provider_that_has_recovered_is_used_again(stage: Rig) -> None:
    dish = DISHES["heals"]
    fading.heal()
    fade(stage, dish)

    fading.delay = 0.0  # and stays so, however often it is doubled
    time.sleep(OPEN_FOR + 2)
    providers = []
    for _ in range(30):  # every process hears of it within half a second
        providers.append(stage.row(stage.ask(dish).request_id).provider)
        time.sleep(0.1)
    fading.heal()

    assert set(providers[-10:]) == {dish.provider}
