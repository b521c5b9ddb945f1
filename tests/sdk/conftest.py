"""Three people with keys: an owner, a colleague with fewer permissions, a stranger elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from keyplex import Keyplex
from tests.gateway.conftest import recorded, running_site, site
from tests.gateway.site import Site
from tests.people import Issued, make_key

__all__ = ["recorded", "running_site", "site"]


@dataclass
class Person:
    """A key, and the client that asks with it."""

    issued: Issued
    client: Keyplex


def person(site: Site, issued: Issued) -> Iterator[Person]:
    base_url = f"{site.url}/v1"
    with Keyplex(base_url=base_url, api_key=issued.plaintext, max_retries=0) as client:
        yield Person(issued, client)


@pytest.fixture
def owner(site: Site) -> Iterator[Person]:
    yield from person(site, make_key())


@pytest.fixture
def colleague(site: Site, owner: Person) -> Iterator[Person]:
    """In the owner's account, with a key that may chat and nothing else."""
    yield from person(site, make_key(owner.issued.account, scopes=["chat:write"]))


@pytest.fixture
def stranger(site: Site) -> Iterator[Person]:
    yield from person(site, make_key())
