"""``manage.py issue_key``: a key for somebody who may be new, alone on standard output."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts import keys
from accounts.audit import CONSOLE
from accounts.models import APIKey, User
from billing.models import Subscription, Trial
from tests.people import make_account, make_plan, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plans() -> None:
    trial = make_plan("free-trial")
    trial.trial = True
    trial.save()
    make_plan("12-months")


def issue(*options: str) -> str:
    said = StringIO()
    call_command(
        "issue_key", "--email", "Script@Example.com", "--name", "Script", *options, stdout=said
    )
    return said.getvalue()


def test_a_new_address_gets_an_account_on_the_free_trial() -> None:
    plaintext = issue()

    key = APIKey.objects.get()
    assert plaintext.endswith("\n")
    assert bytes(key.digest) == keys.digest(plaintext.strip())
    assert key.account.subscription.plan.slug == "free-trial"
    assert key.account.subscription.status == "trialing"
    assert Trial.objects.get().decided_by == CONSOLE.name
    assert User.objects.get().email == "script@example.com"


def test_a_known_address_keeps_its_account_and_plan() -> None:
    user = make_user()
    account = make_account(user, plan=make_plan("12-months"))
    User.objects.filter(pk=user.pk).update(email="script@example.com")

    issue()

    assert APIKey.objects.get().account == account
    assert Subscription.objects.get(account=account).plan.slug == "12-months"


def test_scopes_and_plan_can_be_chosen() -> None:
    issue("--scope", "chat:write", "--scope", "models:read", "--plan", "12-months")

    key = APIKey.objects.get()
    assert key.scopes == ["chat:write", "models:read"]
    assert key.account.subscription.plan.slug == "12-months"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--plan", "gold"], "no plan 'gold'; known: free-trial, 12-months"),
        (["--scope", "everything"], "invalid choice: 'everything'"),
        (["--email", "nobody"], "valid email address"),
    ],
)
def test_a_mistake_is_named_and_nobody_is_created(options: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        issue(*options)

    assert not User.objects.exists()
