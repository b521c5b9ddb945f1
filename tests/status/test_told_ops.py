"""Operators see who is told of the status, find an address, and can remove it, on record."""

import pytest
from django.test import Client

from accounts.audit import AuditEntry
from dashboard.models import Receiver, Subscriber
from tests.dashboard.conftest import browser_of, text_of
from tests.people import make_account, make_user
from tests.status.told import ask

MAIL, URLS = "/ops/dashboard/subscriber/", "/ops/dashboard/receiver/"
HOOK = "https://hooks.example.org/in/s3cret-path"


@pytest.fixture
def told(visitor: Client) -> tuple[Subscriber, Receiver]:
    subscriber = Subscriber.objects.create(email="reader@example.com", topics=["api"])
    Subscriber.objects.create(email="other@example.net")
    ask(visitor, HOOK)
    return subscriber, Receiver.objects.get()


def test_an_address_is_found_with_what_it_is_told_of(
    operator: Client, told: tuple[Subscriber, Receiver]
) -> None:
    by_mail, at_urls = text_of(operator.get(f"{MAIL}?q=reader")), text_of(operator.get(URLS))

    assert "reader@example.com" in by_mail
    assert "API" in by_mail
    assert "other@example.net" not in by_mail
    assert HOOK in at_urls


def test_secrets_are_on_no_page(operator: Client, told: tuple[Subscriber, Receiver]) -> None:
    page = operator.get(f"{URLS}{told[1].pk}/change/").content.decode()

    assert HOOK in page
    assert told[1].challenge not in page
    assert told[1].sealed_secret not in page


def test_removing_is_on_record_by_no_more_than_a_hint(
    operator: Client, told: tuple[Subscriber, Receiver]
) -> None:
    for address, somebody in zip((MAIL, URLS), told, strict=True):
        operator.post(address, {"action": "remove", "_selected_action": [somebody.pk]})

    entries = AuditEntry.objects.filter(action="subscriber.removed").order_by("pk")
    assert [entry.about for entry in entries] == ["r…@example.com", "hooks.example.org"]
    assert {entry.actor for entry in entries} == {"operator operator@example.com"}
    assert not Receiver.objects.exists()
    assert Subscriber.objects.get().email == "other@example.net"


def test_nobody_else_sees_or_removes_anybody(told: tuple[Subscriber, Receiver]) -> None:
    owner = make_user()
    make_account(owner)

    for browser in (browser_of(owner), Client()):
        for address in (MAIL, URLS):
            assert browser.get(address).status_code in (302, 403, 404)
            browser.post(address, {"action": "remove", "_selected_action": [told[0].pk]})

    assert Subscriber.objects.count() == 2
    assert Receiver.objects.count() == 1
