"""Whatever is sent to a list or a row of the operators' room by hand, nothing changes by it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client, RequestFactory
from django.utils.http import urlencode

from accounts.models import User
from tests.operators import as_operator, make_operator
from tests.ops.furniture import furnish
from tests.test_get_changes_nothing import snapshot

pytestmark = pytest.mark.django_db
Pages = admin.ModelAdmin  # type: ignore[type-arg]  # in the stubs only
ROOM = list(admin.site._registry.items())
SECRETS = {
    ("accounts.user", "password"),
    ("accounts.apikey", "digest"),
    ("accounts.auditentry", "mac"),
    ("webhooks.endpoint", "sealed_secret"),
    ("webhooks.endpoint", "sealed_previous_secret"),
    ("gateway.provider", "sealed_credential"),
    ("billing.trial", "person"),
    ("billing.trial", "network"),
    ("dashboard.receiver", "sealed_secret"),
    ("dashboard.receiver", "challenge"),
    ("dashboard.supportrequest", "mark"),
}
ENDINGS = ["", "__exact", "__startswith", "__regex", "__gt", "__gte", "__in", "__isnull"]
ODD = [
    *({"e": "1"}, {"p": "x"}, {"p": "9" * 30}, {"o": "99.-3.x"}, {"all": ""}, {"q": "\0"}),
    *({"_to_field": "password"}, {"_to_field": "nothing"}, {"_popup": "1"}, {"_facets": "1"}),
    *({"nothing__exact": "1"}, {"__exact": "1"}, {"pk__in": "1"}, {"id__gt": "0"}),
]


@pytest.fixture
def onlooker() -> User:
    """Staff who may view everything, and change nothing."""
    user = make_operator("onlooker@example.com")
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return User.objects.get(pk=user.pk)


def lists() -> Iterator[tuple[type[models.Model], Pages, str]]:
    for model, pages in ROOM:
        yield model, pages, f"/ops/{model._meta.app_label}/{model._meta.model_name}/"


def first(model: type[models.Model]) -> object:
    return model._default_manager.values_list("pk", flat=True).first() or 1


def every_column(model: type[models.Model], prefix: str = "") -> dict[str, str]:
    """As a form would send them; of a row that is there, where the prefix is that of a formset."""
    sent = {f"{prefix}{field.name}": "1" for field in model._meta.concrete_fields}
    return sent | {f"{prefix}{field.name}_0": "2001-01-01" for field in model._meta.concrete_fields}


def formset(model: type[models.Model], prefix: str, pk: object) -> dict[str, str]:
    """One row changed, one removed, one added."""
    sent = {f"{prefix}-TOTAL_FORMS": "3", f"{prefix}-INITIAL_FORMS": "2"}
    for number in range(3):
        sent |= every_column(model, f"{prefix}-{number}-") | {f"{prefix}-{number}-id": str(pk)}
    return sent | {f"{prefix}-1-DELETE": "on"}


def prefix_of(inline: type[models.Model], model: type[models.Model]) -> str:
    """What the names of an inline's fields begin with."""
    links = [field for field in inline._meta.fields if field.related_model is model]
    name: str = links[0].remote_field.get_accessor_name(model=inline)
    return name


def forged(model: type[models.Model], pages: Pages, pk: object) -> Iterator[tuple[str, Any]]:
    """Addresses below that of the list, and what is sent there."""
    row = every_column(model) | {"_save": "Save"}
    for inline in pages.inlines:
        row |= formset(inline.model, prefix_of(inline.model, model), first(inline.model))
    for address in ("add/", f"{pk}/change/", f"{pk}/delete/", f"{pk}/", f"{pk}/history/"):
        yield address, row | {"post": "yes"}
    more = {"_saveasnew": "1", "_popup": "1", "_to_field": "id", "_continue": "1"}
    for address in ("add/", f"{pk}/change/", f"{pk}/delete/"):
        yield f"{address}?{urlencode(more)}", row | more | {"post": "yes"}
    yield "", formset(model, "form", pk) | {"_save": "Save"}
    every = {"_selected_action": [pk], "select_across": "1", "index": "0", "post": "yes"}
    for action in ("delete_selected", "nothing", "__init__", "get_queryset", ""):
        yield "", every | {"action": action}


def changed_by(browser: Client, posts: list[tuple[str, Any]]) -> list[str]:
    """The tables that are others once all of it was sent."""
    before = snapshot()
    for address, sent in posts:
        assert browser.post(address, sent).status_code < 500, address
    after = snapshot()
    return [table for table in before if before[table] != after[table]]


def test_an_operator_who_may_do_everything_changes_no_row_by_a_form_that_is_not_there() -> None:
    furnish()
    posts = []
    for model, pages, address in lists():
        posts += [(f"{address}{below}", sent) for below, sent in forged(model, pages, first(model))]

    assert changed_by(as_operator(Client()), posts) == []
    assert len(posts) == 14 * len(ROOM)


def test_an_onlooker_changes_nothing_by_whatever_is_chosen_in_a_list(onlooker: User) -> None:
    furnish()
    posts = []
    for model, pages, address in lists():
        chosen = {"_selected_action": [first(model)], "index": "0", "post": "yes"}
        actions = [*(pages.actions or ()), "delete_selected"]
        posts += [(address, chosen | {"action": action}) for action in actions]
        posts += [
            (f"{address}{first(model)}/{way}/", {"post": "yes"}) for way in ("change", "delete")
        ]

    assert changed_by(as_operator(Client(), onlooker), posts) == []
    assert {sent.get("action") for _, sent in posts} >= {"revoke", "switch_off", "expire", "refuse"}


def test_every_list_and_row_can_be_looked_at_whatever_the_address_says(onlooker: User) -> None:
    furnish()
    browser = as_operator(Client(), onlooker)

    for model, _, address in lists():
        assert browser.get(address).status_code == 200, address
        assert browser.get(f"{address}{first(model)}/change/").status_code == 200, address
        for nobody in ("0", "9" * 30, "x", "%00", "_5F"):
            found = browser.get(f"{address}{nobody}/change/").status_code
            assert found in {302, 400, 404}, (address, nobody)
    for address in ("accounts/user/", "billing/subscription/", "dashboard/supportrequest/"):
        for odd in ODD:
            found = browser.get(f"/ops/{address}", odd).status_code
            assert found in {200, 302, 400}, (address, odd)


def paths_to(model: type[models.Model], target: str, depth: int = 2) -> Iterator[str]:
    """How an address may reach a model, over relations in either direction."""
    if model._meta.label_lower == target:
        yield ""
    if depth:
        for field in model._meta.get_fields():
            if field.is_relation and field.related_model:
                for rest in paths_to(field.related_model, target, depth - 1):  # type: ignore[arg-type]
                    yield f"{field.name}__{rest}"


@pytest.mark.parametrize(("owner", "column"), sorted(SECRETS))
def test_no_list_tells_by_its_filters_what_no_page_shows(owner: str, column: str) -> None:
    apps.get_model(owner)._meta.get_field(column)
    request = RequestFactory().get("/ops/")
    request.user = User(is_superuser=True, is_staff=True)

    for model, pages, address in lists():
        for path in paths_to(model, owner):
            for ending in ENDINGS:
                lookup = f"{path}{column}{ending}"
                assert not pages.lookup_allowed(lookup, "a", request), (address, lookup)


def test_a_refused_filter_answers_the_same_for_what_is_so_and_what_is_not() -> None:
    furnish()
    browser = as_operator(Client())
    lookups = [
        ("user", "password__startswith"),
        ("account", "members__password__startswith"),
        ("apikey", "account__members__password__startswith"),
        ("apikey", "digest__startswith"),
    ]
    for model, lookup in lookups:
        for beginning in ("argon2", "", "zzz"):
            answer = browser.get(f"/ops/accounts/{model}/", {lookup: beginning})
            assert answer.status_code == 400, (model, lookup)


def test_no_search_looks_into_what_no_page_shows() -> None:
    secret = {column for _, column in SECRETS}

    for _, pages, address in lists():
        searched = {name.rpartition("__")[2] for name in pages.search_fields}
        assert not searched & secret, address
        assert not secret & set(pages.list_display), address


def test_what_is_called_a_secret_is_kept_as_one() -> None:
    called = {
        (model._meta.label_lower, field.name)
        for model, _ in ROOM
        for field in model._meta.concrete_fields
        if re.search("secret|digest|password|sealed|challenge", field.name)
    }

    assert called <= SECRETS
    assert len(called) >= 7


def test_no_page_of_a_row_shows_what_is_secret() -> None:
    furnish()
    request = RequestFactory().get("/ops/")
    request.user = User(is_superuser=True, is_staff=True)
    registered = {model._meta.label_lower: pages for model, pages in ROOM}

    for owner, column in SECRETS:
        row = apps.get_model(owner)._default_manager.first()
        assert column not in registered[owner].get_fields(request, row), owner
