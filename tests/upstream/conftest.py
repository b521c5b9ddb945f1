"""One site and one zoo for the run; the rows of a test module live as long as the module."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.gateway.conftest import load_catalog
from tests.gateway.site import Site
from tests.people import make_key
from tests.upstream.rig import Rig
from tests.upstream.zoo import Zoo


@pytest.fixture(scope="session")
def zoo() -> Iterator[Zoo]:
    with Zoo() as zoo:
        yield zoo


@pytest.fixture(scope="session")
def zoo_site(django_db_setup: None, django_db_blocker: object) -> Iterator[Site]:
    """Whatever it says while it runs must not be the trace of an exception."""
    with tempfile.NamedTemporaryFile(prefix="zoo-site-") as output:
        site = Site(workers=2, output=Path(output.name))
        with django_db_blocker.unblock():  # type: ignore[attr-defined]
            site.start()
        yield site
        assert site.stop() == 0
        said = Path(output.name).read_text()
    assert "Traceback" not in said, said[-5000:]


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """Instead of pytest-django's: rows live as long as a module, not as a single test.

    Numbers are never used again, for what is still in the journal belongs to the old accounts.
    """
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


@pytest.fixture(scope="module")
def rig(zoo_site: Site, zoo: Zoo, transactional_db: None) -> Iterator[Rig]:
    """With an account that may do anything."""
    load_catalog()
    rig = Rig(zoo_site, zoo, make_key())
    yield rig
    rig.client.close()
