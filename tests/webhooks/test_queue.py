"""Operators see how the deliveries of everybody are doing."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.operators import as_operator
from tests.people import make_account
from tests.webhooks.receivers import Receiver
from tests.webhooks.things import later, make_delivery, make_endpoint, tell, work
from webhooks.claims import claim
from webhooks.models import Endpoint
from webhooks.queue import queue

pytestmark = pytest.mark.django_db


def test_each_delivery_is_counted_where_it_is(receiver: Receiver) -> None:
    receiver.statuses = [200, 500]
    make_delivery(receiver.url)
    work()
    make_delivery(receiver.url)
    work()
    make_delivery().endpoint.disable(Endpoint.Disabled.USER)
    claim(make_delivery().endpoint_id)
    make_delivery()
    later(timedelta(0))

    found = queue()

    assert (found.due, found.under_way, found.waiting, found.held) == (1, 1, 1, 1)
    assert (found.failing_endpoints, found.disabled_endpoints) == (1, 1)
    assert (found.arrived_lately, found.failed_lately) == (1, 1)
    assert timedelta(0) <= found.late_by < timedelta(minutes=1)


def test_an_empty_queue_is_not_late() -> None:
    assert queue().late_by == timedelta(0)


def test_operators_see_the_queue_and_no_secret_and_members_see_neither(client: Client) -> None:
    endpoint, secret = make_endpoint()
    tell(endpoint.account)
    address = "/ops/webhooks/endpoint/"

    as_operator(client)
    pages = [client.get(address), client.get(f"{address}{endpoint.pk}/change/")]
    client.force_login(make_account().members.get())

    assert "Due now" in pages[0].content.decode()
    assert endpoint.url in pages[0].content.decode()
    for page in pages:
        assert secret not in page.content.decode()
        assert endpoint.sealed_secret not in page.content.decode()
    assert client.get(address).status_code == 403
