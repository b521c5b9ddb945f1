"""What a worker holds of the catalogue is one version of it, never a mixture of two."""

import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import msgspec
from django.db import connection

from gateway import catalog, catalog_file
from gateway.models import Provider

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


@contextmanager
def meanwhile(change: Callable[[], None]) -> Iterator[None]:
    """Somebody makes this change, again and again."""
    over = Event()
    with ThreadPoolExecutor() as somebody:
        changes = somebody.submit(repeat, change, over.is_set)
        try:
            yield
        finally:
            over.set()
        changes.result()


def repeat(change: Callable[[], None], over: Callable[[], bool]) -> None:
    while not over():
        change()
    connection.close()


def to_and_fro() -> None:
    load(ONE.replace('"one"', '"two"'))
    load(ONE)


def away_and_back() -> None:
    Provider.objects.all().delete()
    load(ONE)


def load(text: str) -> None:
    catalog_file.load(msgspec.convert(tomllib.loads(text), catalog_file.CatalogFile))


def test_a_model_never_has_the_routes_of_another_version(transactional_db: None) -> None:
    load(ONE)
    with meanwhile(to_and_fro):
        for _ in range(200):
            _, offers, _ = catalog.load()

            [offer] = offers
            assert [route.upstream_model for route in offer.routes] == [offer.owned_by]


def test_a_provider_that_goes_away_takes_its_routes_along(transactional_db: None) -> None:
    load(ONE)
    with meanwhile(away_and_back):
        for _ in range(400):
            _, offers, _ = catalog.load()

            [offer] = offers
            assert [route.provider for route in offer.routes] in ([], ["mine"])
