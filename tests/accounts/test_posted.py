"""What one process says the others know, and while Redis is away nobody knows anything."""

import pytest
from django.core.cache import cache
from pytest_django import Settings

from accounts.posted import Posted


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


def test_before_anything_was_said_there_is_nothing() -> None:
    assert Posted("a", "nothing").read() == "nothing"


def test_what_is_said_is_known_here_at_once_and_in_a_process_that_looks() -> None:
    here, elsewhere = Posted("a", 0), Posted("a", 0)

    here.put(7)

    assert (here.read(), elsewhere.read()) == (7, 7)


def test_what_was_read_is_remembered_for_a_moment() -> None:
    here, elsewhere = Posted("a", 0), Posted("a", 0)
    elsewhere.put(7)
    here.read()

    cache.clear()

    assert here.read() == 7
    assert Posted("a", 0).read() == 0


def test_while_redis_is_away_nothing_is_known_and_nothing_breaks(settings: Settings) -> None:
    here, elsewhere = Posted("a", 0), Posted("a", 0)
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
    }

    here.put(7)

    assert (here.read(), elsewhere.read()) == (7, 0)
