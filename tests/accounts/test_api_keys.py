"""Keys are shown once, belong to an account, and end when a keeper of keys says so."""

import re

import pytest
from django.test import Client
from msgspec.structs import replace
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import keys
from accounts.models import APIKey, Membership
from accounts.scopes import Scope
from tests.gateway.conftest import load_catalog
from tests.people import make_account, make_colleague, make_key, make_user

pytestmark = pytest.mark.django_db
EVERYTHING = list(Scope.values)


def as_member(role: str | None = None) -> tuple[Client, APIKey]:
    """The owner, or a colleague with a role, before a key of their account."""
    owner = make_user()
    account = make_account(owner)
    client = Client()
    client.force_login(make_colleague(account, role) if role else owner)
    return client, make_key(account).api_key


def test_a_new_key_is_shown_once_and_never_again() -> None:
    client, _ = as_member()

    answer = client.post("/keys/new", {"name": "Production", "scopes": ["chat:write"]})
    afterwards = client.get("/keys").content.decode()

    shown = set(re.findall(r"kpx_\w{48}", answer.content.decode()))
    [plaintext] = shown
    assert "no-store" in answer["Cache-Control"]
    assert "Production" in afterwards
    assert plaintext not in afterwards
    key = APIKey.objects.get(name="Production")
    assert key.scopes == ["chat:write"]
    assert plaintext.encode() not in bytes(key.digest)


def test_a_form_that_is_sent_again_makes_no_second_key() -> None:
    client, key = as_member()
    colleague = Client()
    colleague.force_login(make_colleague(key.account))
    mark = client.get("/keys/new").context["form"]["mark"].value()
    form = {"name": "Production", "scopes": ["chat:write"], "mark": mark}

    made = client.post("/keys/new", form)
    again = client.post("/keys/new", form, follow=True)
    theirs = colleague.post("/keys/new", form)

    assert (made.status_code, theirs.status_code) == (200, 200)
    assert APIKey.objects.filter(name="Production").count() == 2
    assert again.redirect_chain == [("/keys", 302)]
    assert "was sent already" in again.content.decode()
    assert not re.search(r"kpx_\w{48}", again.content.decode())


def test_a_mark_that_is_not_ours_makes_nothing() -> None:
    client, _ = as_member()

    answer = client.post("/keys/new", {"name": "A", "scopes": EVERYTHING, "mark": "a b\n"})

    assert answer.status_code == 422
    assert APIKey.objects.count() == 1


def test_a_new_key_comes_with_the_first_call_that_it_can_make() -> None:
    client, _ = as_member()
    load_catalog()

    pages = {
        scope: client.post("/keys/new", {"name": "A", "scopes": [scope]}).content.decode()
        for scope in ("chat:write", "embeddings:write", "usage:read")
    }

    assert all(
        re.search(r"Bearer kpx_\w{48}", pages[s]) for s in ("chat:write", "embeddings:write")
    )
    assert "/chat/completions" in pages["chat:write"]
    assert "/embeddings" in pages["embeddings:write"]
    assert "curl" not in pages["usage:read"]


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"name": "", "scopes": EVERYTHING}, "This field is required"),
        ({"name": "x" * 101, "scopes": EVERYTHING}, "at most 100 characters"),
        ({"name": "Laptop", "scopes": []}, "Choose at least one permission"),
        ({"name": "Laptop", "scopes": ["everything"]}, "not one of the available choices"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(form: dict[str, object], complaint: str) -> None:
    client, _ = as_member()

    answer = client.post("/keys/new", form)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert APIKey.objects.count() == 1


@pytest.mark.parametrize("role", [None, "admin", "developer"])
def test_a_keeper_of_keys_revokes_and_every_process_knows(role: str | None) -> None:
    client, key = as_member(role)
    epoch = key.account.epoch

    question = client.get(f"/keys/{key.pk}/revoke").content.decode()
    client.post(f"/keys/{key.pk}/revoke")

    key.refresh_from_db()
    key.account.refresh_from_db()
    assert key.name in question
    assert key.revoked_at
    assert key.account.epoch == epoch + 1
    assert "Revoked" in client.get("/keys").content.decode()


@pytest.mark.parametrize("role", ["viewer", "billing"])
def test_who_may_only_look_sees_keys_and_changes_none(role: str) -> None:
    client, key = as_member(role)

    page = client.get("/keys").content.decode()
    refused = [
        client.get("/keys/new"),
        client.post("/keys/new", {"name": "Mine", "scopes": EVERYTHING}),
        client.post(f"/keys/{key.pk}/revoke"),
    ]

    assert key.hint in page
    assert "Create New Key" not in page
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert "Only an owner, admin or developer" in refused[0].content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_stranger_finds_no_key_of_others() -> None:
    _, key = as_member()
    stranger, _ = as_member()

    page = stranger.get("/keys").content.decode()
    answers = [stranger.get(f"/keys/{key.pk}/revoke"), stranger.post(f"/keys/{key.pk}/revoke")]

    assert key.hint not in page
    assert [answer.status_code for answer in answers] == [404, 404]
    key.refresh_from_db()
    assert key.revoked_at is None


def test_somebody_without_an_account_is_told_so(client: Client) -> None:
    client.force_login(make_user())

    answer = client.get("/keys")

    assert answer.status_code == 403
    assert "You do not belong to an account" in answer.content.decode()


def test_a_member_of_two_accounts_sees_one_at_a_time(client: Client) -> None:
    _, key = as_member()
    owner = make_user()
    own = make_key(make_account(owner)).api_key
    Membership.objects.create(user=owner, account=key.account, role="viewer")
    client.force_login(owner)

    first = client.get("/keys").content.decode()
    session = client.session
    session["account"] = key.account.pk
    session.save()
    second = client.get("/keys").content.decode()

    assert own.hint in first
    assert key.hint not in first
    assert key.hint in second
    assert own.hint not in second


def test_a_session_cannot_choose_an_account_of_others(client: Client) -> None:
    _, key = as_member()
    owner = make_user()
    make_account(owner)
    client.force_login(owner)
    session = client.session
    session["account"] = key.account.pk
    session.save()

    assert key.hint not in client.get("/keys").content.decode()


def test_many_keys_cost_no_more_queries_than_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client, key = as_member()
    for _ in range(20):
        make_key(key.account)
    client.get("/keys")

    with django_assert_max_num_queries(9):
        client.get("/keys")


def test_keys_of_an_earlier_product_stay_good_and_new_ones_look_like_the_new_one(
    settings: Settings,
) -> None:
    earlier = keys.generate()
    settings.PRODUCT = replace(settings.PRODUCT, key_prefix="km-", accepted_prefixes=(earlier[:4],))

    new = keys.generate()

    assert re.fullmatch(r"km-[0-9A-Za-z]{48}", new)
    assert keys.hint(new) == f"{new[:7]}…{new[-4:]}"
    assert (keys.defect(earlier), keys.defect(new)) == (None, None)
    assert keys.defect("sk-abc") == "Keys of this service begin with km-."
    assert keys.defect(new[:-1]) == (
        "The key looks truncated: 47 characters after km- instead of 48."
    )


def test_the_prefix_is_a_part_of_the_secret() -> None:
    plaintext = keys.generate()

    assert keys.digest(plaintext) != keys.digest("km-" + plaintext[4:])
    assert "checksum" in str(keys.defect(plaintext[:4] + plaintext[5:] + plaintext[4]))
