"""No form takes more than it shows: the name of every column, sent to every address, changes none.

What forms do show is in here too, so rows of one's own may change; what nobody may change by a
form, and everything of others, does not.
"""

from copy import deepcopy
from typing import Any

import pytest
from django.core.cache import cache
from django.db import models, transaction
from django.test import Client

from accounts.audit import SYSTEM
from accounts.models import Account, APIKey, Invitation, Membership, User
from billing.models import Override, Plan, Subscription
from tests.access.routes import Things
from tests.dashboard.conftest import browser_of
from tests.people import make_account, make_colleague, make_key, make_user

pytestmark = pytest.mark.django_db
MODELS: list[type[models.Model]] = [
    Account,
    APIKey,
    Invitation,
    Membership,
    Override,
    Plan,
    Subscription,
    User,
]
NEVER = {  # columns that no form of this site changes in a row that is there
    User: ["id", "is_staff", "is_superuser"],
    APIKey: ["id", "account_id", "digest", "hint", "playground", "honey"],
    Account: ["id", "created_at", "suspended_at", "closed_at"],
    Subscription: [field.attname for field in Subscription._meta.fields],
    Plan: [field.attname for field in Plan._meta.fields],
    Override: [field.attname for field in Override._meta.fields],
}
Rows = dict[str, list[dict[str, object]]]


def hostile(field: Any, other: Account, stranger: User) -> str:
    """A value that would do harm, in words that a form would take."""
    if field.related_model is Account or field.name == "id":
        return str(other.pk)
    if field.related_model is User:
        return str(stranger.pk)
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.JSONField):
        return '{"requests_per_day": 1000000000}'
    if isinstance(field, models.DateTimeField):
        return "2001-01-01T00:00"
    return {"role": "owner"}.get(field.name, "1")


def everything(other: Account, stranger: User) -> dict[str, str]:
    """The name of each column of each model, as Django and as a form would write it."""
    sent = {}
    for model in MODELS:
        for field in model._meta.fields:
            for name in (field.name, field.attname):
                sent[name] = hostile(field, other, stranger)
    return sent


def untouchable(other: Account, known: dict[type[models.Model], list[int]]) -> Rows:
    """What must be after any form as it was before: some columns of all, all columns of others."""
    found: Rows = {}
    for model, columns in NEVER.items():
        rows = model._default_manager.filter(pk__in=known[model]).order_by("pk")
        found[model.__name__] = list(rows.values(*columns))
    found["their account"] = list(Account.objects.filter(pk=other.pk).values())
    found["their keys"] = list(other.api_keys.order_by("pk").values())
    found["their members"] = list(other.memberships.order_by("pk").values())
    return found


def test_no_form_changes_what_it_does_not_show() -> None:
    things = Things.make()
    account, stranger = things.key.account, make_user("stranger")
    other = make_account(stranger)
    make_key(other)
    agreed = {"limits": {"requests_per_day": 9}, "reason": "a launch", "by": SYSTEM}
    Override.objects.agree(account.subscription, **agreed)
    sent = everything(other, stranger)
    actors = {role: make_colleague(account, role) for role in ("viewer", "developer", "admin")}
    actors["owner"] = account.members.get(memberships__role="owner")
    known = {model: list(model._default_manager.values_list("pk", flat=True)) for model in NEVER}
    before = untouchable(other, known)
    statuses = set()

    for role, actor in actors.items():
        browser = browser_of(actor)
        for _, address in things.addresses():
            if address.startswith(("/ops/", "/stripe/")):
                continue  # operators only, and who can sign for Stripe
            cache.clear()
            client = Client()
            client.cookies = deepcopy(browser.cookies)
            with transaction.atomic():
                statuses.add(client.post(address, sent).status_code)
                after = untouchable(other, known)
                roles = set(account.memberships.filter(user=actor).values_list("role", flat=True))
                transaction.set_rollback(True)
            assert after == before, f"{role} posts to {address}"
            assert roles <= {role}, f"{role} posts to {address}"
    assert 302 in statuses  # some forms did what they show
    assert max(statuses) < 500
