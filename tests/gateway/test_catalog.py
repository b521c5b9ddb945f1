"""What a worker holds of the catalogue is one version of it, never a mixture of two."""

import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import msgspec
import pytest
from django.db import connection

from gateway import catalog, catalog_file

ONE = """
[[providers]]
slug = "mine"
name = "Mine"
base_url = "https://models.example/v1"

[[models]]
id = "mine/chat"
owned_by = "one"
routes = [{ provider = "mine", model = "one" }]
"""


@pytest.fixture
def changes(transactional_db: None) -> Iterator[None]:
    """Somebody changes the model and its route, to and fro, as long as the test runs."""
    over = Event()
    with ThreadPoolExecutor() as somebody:
        load(ONE)
        change = somebody.submit(change_until, over.is_set)
        yield
        over.set()
        change.result()


def change_until(over: Callable[[], bool]) -> None:
    while not over():
        load(ONE.replace('"one"', '"two"'))
        load(ONE)
    connection.close()


def load(text: str) -> None:
    catalog_file.load(msgspec.convert(tomllib.loads(text), catalog_file.CatalogFile))


def test_a_model_never_has_the_routes_of_another_version(changes: None) -> None:
    for _ in range(200):
        _, offers = catalog.load()

        [offer] = offers
        assert [route.upstream_model for route in offer.routes] == [offer.owned_by]
