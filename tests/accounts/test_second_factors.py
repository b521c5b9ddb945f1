"""Who has lost a second factor gets rid of it at the console, on record, and nobody else by it."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.audit import CONSOLE, Action
from accounts.models import User
from tests.operators import as_operator
from tests.passkeys import Passkey
from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator() -> User:
    user = make_user()
    make_account(user)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    return User.objects.get(pk=user.pk)


def test_the_console_takes_away_what_was_lost(operator: User) -> None:
    browser, other = as_operator(Client(), operator), as_operator(Client())
    Passkey(operator)

    call_command("remove_second_factors", operator.email.upper())

    entry = operator.accounts.get().audit_entries.latest("number")
    assert not Authenticator.objects.filter(user=operator).exists()
    assert browser.get("/ops/")["Location"].startswith(("/login/", "/ops/login/"))
    assert other.get("/ops/").status_code == 200
    assert (entry.action, entry.actor) == (Action.SECOND_FACTORS_REMOVED, CONSOLE.name)
    assert [letter.to for letter in mail.outbox] == [[operator.email]]
    assert "/settings/security" in mail.outbox[0].body


def test_until_there_is_a_new_one_the_room_stays_closed(operator: User) -> None:
    as_operator(Client(), operator)
    call_command("remove_second_factors", operator.email)
    browser = Client()
    browser.force_login(User.objects.get(pk=operator.pk))

    assert browser.get("/ops/").status_code == 403


@pytest.mark.parametrize("email", ["nobody@example.com", "owner"])
def test_where_there_is_nothing_to_take_away_nothing_is_said_to_be_done(email: str) -> None:
    user = make_user()
    make_account(user)
    before = user.accounts.get().audit_entries.count()

    with pytest.raises(CommandError):
        call_command("remove_second_factors", user.email if email == "owner" else email)

    assert user.accounts.get().audit_entries.count() == before
    assert mail.outbox == []
