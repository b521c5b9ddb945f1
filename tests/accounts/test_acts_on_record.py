"""Every verb that asks by whom it is done puts just what it did on record; a new one needs a row.

The rows are in ``tests/accounts/verbs.py``.
"""

import inspect
from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.db import models
from django.test import Client

from accounts import audit
from accounts.audit import CONSOLE, Action, Actor, AuditEntry
from accounts.audit_actions import GROUPS
from accounts.models import Account, User
from tests.accounts.scene import Scene
from tests.accounts.verbs import OF_THE_SERVER, VERBS
from tests.operators import as_operator
from tests.people import make_key, make_user

pytestmark = pytest.mark.django_db
APPS = {"dashboard", "gateway", "usage", "billing", "accounts", "webhooks"}


def verbs() -> Iterator[str]:
    """Every method of our models and their sets of rows that asks by whom it is done."""
    for model in apps.get_models():
        if model._meta.app_label not in APPS:
            continue
        rows: type[models.QuerySet[models.Model]] = type(model._default_manager.all())
        for owner in (model, rows):
            for name, method in vars(owner).items():
                if callable(method) and not name.startswith("_") and asks_by_whom(method):
                    yield f"{owner.__name__}.{name}"


def asks_by_whom(method: Callable[..., object]) -> bool:
    return not isinstance(method, type) and "by" in inspect.signature(method).parameters


def test_every_verb_has_its_row() -> None:
    assert set(verbs()) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_on_record_with_who_did_it(verb: str) -> None:
    scene = Scene()
    do, action = VERBS[verb]
    before = AuditEntry.objects.count()

    do(scene)

    entry = AuditEntry.objects.latest("pk")
    assert AuditEntry.objects.count() == before + 1
    assert entry.action == action
    assert (entry.actor, entry.user_id, entry.ip) == (scene.user.email, scene.user.pk, "192.0.2.7")
    assert entry.account_id == (None if verb.startswith(OF_THE_SERVER) else scene.account.pk)
    assert not list(audit.verify())


def test_an_operator_is_called_one(client: Client) -> None:
    operator = User.objects.create_superuser("operator@example.com", "correct horse")
    key = make_key().api_key
    as_operator(client, operator)

    form = {"action": "revoke", "_selected_action": [key.pk]}
    client.post("/ops/accounts/apikey/", form)

    entry = key.account.audit_entries.latest("number")
    assert (entry.action, entry.user_id) == (Action.API_KEY_REVOKED, operator.pk)
    assert entry.actor == "operator operator@example.com"


def test_who_is_made_an_operator_is_on_record() -> None:
    User.objects.create_superuser("operator@example.com", "correct horse")

    entry = AuditEntry.objects.get(chain=0)
    assert (entry.action, entry.actor) == (Action.OPERATOR_MADE, CONSOLE.name)
    assert entry.about == "operator@example.com"


@pytest.mark.parametrize("page", ["add/", "1/delete/", "1/change/", "1/history/", ""])
def test_operators_read_the_record_and_change_nothing(client: Client, page: str) -> None:
    as_operator(client)
    entry = AuditEntry.objects.get()
    before = AuditEntry.objects.values().get()
    path = f"/ops/accounts/auditentry/{page.replace('1', str(entry.pk))}"

    answers = [client.get(path), client.post(path, {"actor": "nobody", "post": "yes"})]

    assert all(answer.status_code in {200, 302, 403, 405} for answer in answers)
    assert AuditEntry.objects.values().get() == before


def test_no_page_of_operators_edits_rows_by_hand(client: Client) -> None:
    as_operator(client)

    for path in ("account/emailaddress/", "auth/group/"):
        assert client.get(f"/ops/{path}").status_code == 404


def test_there_are_many_acts_and_each_can_be_asked_for() -> None:
    beginnings = [beginning for _, several in GROUPS.values() for beginning in several]

    assert len(Action) >= 40
    for action in Action:
        assert sum(action.startswith(beginning) for beginning in beginnings) == 1, action


def test_what_postgresql_cannot_keep_does_not_prevent_the_act() -> None:
    user = make_user()
    account = Account.objects.open_for(user)
    odd = "a\0b\ud800" + "x" * 400

    entry = audit.record(
        account, Action.ACCOUNT_RENAMED, by=Actor(odd, 1, odd), about=odd, name=odd, all=[odd, odd]
    )

    entry.refresh_from_db()
    assert entry.about.startswith("a\ufffdb?xxx")
    assert len(entry.about) == 300
    assert not list(audit.verify())
