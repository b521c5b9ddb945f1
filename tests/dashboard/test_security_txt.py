"""Whoever found a weakness finds whom to tell, if the operators have said so."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/.well-known/security.txt"


def fields(client: Client) -> dict[str, str]:
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.content.decode().splitlines()
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("security@example.com", "mailto:security@example.com"),
        ("mailto:security@example.com", "mailto:security@example.com"),
        ("https://example.com/report", "https://example.com/report"),
    ],
)
def test_it_names_the_contact_and_does_not_last_for_ever(
    client: Client, settings: Any, named: str, told: str
) -> None:
    settings.SECURITY_CONTACT = named
    settings.PUBLIC_URL = "https://keys.example.com"

    found = fields(client)

    assert found["Contact"] == told
    assert found["Canonical"] == f"https://keys.example.com{ADDRESS}"
    expires = datetime.fromisoformat(found["Expires"])
    assert timedelta(days=80) < expires - timezone.now() < timedelta(days=366)
    policy = found["Policy"].removeprefix("https://keys.example.com")
    assert client.get(policy).status_code == 200


def test_it_says_the_same_to_members(client: Client, settings: Any) -> None:
    settings.SECURITY_CONTACT = "security@example.com"
    said = fields(client)
    owner = make_user()
    make_account(owner)
    client.force_login(owner)

    assert fields(client) == said


def test_where_nobody_is_named_there_is_no_such_file(client: Client) -> None:
    assert client.get(ADDRESS).status_code == 404
