"""A receiver on this machine, which the operator has opened for webhooks."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from tests.webhooks.receivers import Receiver, receiving


@pytest.fixture
def at_home(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def receiver(at_home: None) -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
