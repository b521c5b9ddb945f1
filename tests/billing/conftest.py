"""A Stripe of our own, on a clock that stands still until it is advanced."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billing.models import Plan
from tests.billing.paying import Paying, at
from tests.billing.shop import Shop
from tests.billing.stripe_server import StripeServer
from tests.people import make_account
from tests.webhooks.receivers import receiving


@pytest.fixture(scope="session")
def stripe_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeServer]:
    with receiving() as receiver:
        server = StripeServer(tmp_path_factory.mktemp("stripe") / "state.sqlite3", receiver)
        server.start()
        yield server
        assert server.stop() == 0


@pytest.fixture
def stripe_server(stripe_process: StripeServer) -> StripeServer:
    """The one of the run, which has forgotten what other tests did."""
    stripe_process.begin()
    return stripe_process


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[StripeServer]:
    """A process for one test, which may kill it, or start it with other options."""
    with receiving() as receiver:
        server = StripeServer(tmp_path / "state.sqlite3", receiver)
        yield server
        server.stop()


@pytest.fixture
def shop(stripe_server: StripeServer) -> Shop:
    return Shop(stripe_server)


@pytest.fixture
def paying(stripe_server: StripeServer, db: None, settings: Any) -> Paying:
    """An account on a trial, on whose plans a price stands at the simulated Stripe."""
    at(stripe_server, settings)
    trial = Plan.objects.get(slug="free-trial")
    return Paying(stripe_server, make_account(plan=trial))
