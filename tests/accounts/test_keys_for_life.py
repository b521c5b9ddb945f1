"""Keys live for years: they are changed, rotated, put to sleep, and ended; each act on record."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit import SYSTEM, Action
from accounts.key_rules import LeakPolicy, Reason
from accounts.models import APIKey, Notice
from billing.models import limit_key
from tests.accounts.test_api_keys import EVERYTHING, as_member
from tests.people import make_account, make_key, make_user

pytestmark = pytest.mark.django_db
FORM = {"name": "Site", "environment": "staging", "scopes": ["chat:write"]}
ACTS = [
    ("change", FORM),
    ("rotate", {"grace": "24"}),
    ("deactivate", {}),
    ("reactivate", {}),
    ("revoke", {"reason": "user"}),
    ("limits", {"requests_per_day": "5"}),
]


def acts_on(key: APIKey) -> list[str]:
    entries = key.account.audit_entries.filter(about=str(key)).order_by("number")
    return [entry.action for entry in entries]


def test_a_key_is_changed_from_its_page_and_every_process_knows() -> None:
    client, key = as_member()
    epoch = key.account.epoch
    asked = FORM | {
        "expires_at": "2099-01-02T03:04",
        "allowed_models": "openai/gpt-4o-mini\nkeyplex/echo",
        "allowed_endpoints": ["models"],
        "allowed_networks": "203.0.113.7/24, 2001:db8::1",
    }

    answer = client.post(f"/keys/{key.pk}/change", asked, follow=True)

    key.refresh_from_db()
    key.account.refresh_from_db()
    assert answer.status_code == 200
    assert (key.name, key.environment, key.scopes) == ("Site", "staging", ["chat:write"])
    assert key.allowed_models == ["openai/gpt-4o-mini", "keyplex/echo"]
    assert key.allowed_networks == ["203.0.113.0/24", "2001:db8::1/128"]
    assert key.expires_at
    assert key.expires_at.year == 2099
    assert key.account.epoch == epoch + 1
    page = answer.content.decode()
    assert "203.0.113.0/24" in page
    assert "2 January 2099, 03:04 UTC" in page


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"allowed_networks": "300.1.2.3"}, "is no IP address or range"),
        ({"expires_at": "2001-01-01T00:00"}, "in the past"),
        ({"expires_at": "soon"}, "valid date/time"),
        ({"allowed_endpoints": ["everything"]}, "not one of the available choices"),
        ({"allowed_models": "\n".join(f"m{n}" for n in range(101))}, "At most 100 lines"),
        ({"environment": "x" * 31}, "at most 30 characters"),
    ],
)
def test_what_makes_no_sense_changes_nothing(fields: dict[str, object], complaint: str) -> None:
    client, key = as_member()

    answer = client.post(f"/keys/{key.pk}/change", FORM | fields)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    key.refresh_from_db()
    assert key.name == "Development"


def test_calling_a_key_something_else_is_another_act_than_letting_it_do_something_else() -> None:
    key = make_key().api_key

    key.change(by=SYSTEM, name="Laptop")
    key.change(by=SYSTEM, name="Laptop")
    key.change(by=SYSTEM, scopes=["chat:write"])

    acts = key.account.audit_entries.order_by("number").values_list("action", flat=True)
    assert list(acts)[2:] == [Action.API_KEY_RENAMED, Action.API_KEY_CHANGED]


def test_a_key_sleeps_and_wakes_and_dies_once() -> None:
    client, key = as_member()

    for act in ("deactivate", "deactivate", "reactivate", "deactivate"):
        client.post(f"/keys/{key.pk}/{act}")
    key.refresh_from_db()
    asleep = key.state
    client.post(f"/keys/{key.pk}/revoke", {"reason": "compromised"})
    client.post(f"/keys/{key.pk}/revoke", {"reason": "user"})
    client.post(f"/keys/{key.pk}/reactivate")

    key.refresh_from_db()
    assert (asleep, key.state, key.revoke_reason) == ("deactivated", "revoked", "compromised")
    assert acts_on(key) == [
        Action.API_KEY_CREATED,
        Action.API_KEY_DEACTIVATED,
        Action.API_KEY_REACTIVATED,
        Action.API_KEY_DEACTIVATED,
        Action.API_KEY_REVOKED,
    ]


def test_a_rotated_key_has_a_successor_that_may_do_the_same() -> None:
    client, key = as_member()
    limit_key(key, {"tokens_per_lifetime": 1000}, by=SYSTEM)
    key.change(by=SYSTEM, environment="production", allowed_models=["keyplex/echo"])

    answer = client.post(f"/keys/{key.pk}/rotate", {"grace": "24"})

    key.refresh_from_db()
    successor = key.successor
    assert successor
    assert "This is the only time it is shown" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    same = ("name", "environment", "scopes", "allowed_models", "limits")
    assert [getattr(successor, name) for name in same] == [getattr(key, name) for name in same]
    assert successor.own_counters != key.own_counters
    assert key.expires_at
    assert timezone.now() < key.expires_at < timezone.now() + timedelta(hours=25)
    assert (key.state, key.retires, successor.expires_at) == ("active", True, None)
    assert "Nothing has used it since" in client.get(f"/keys/{key.pk}").content.decode()
    assert "Retiring" in client.get("/keys").content.decode()


def test_a_key_is_rotated_once_and_only_while_it_is_in_use() -> None:
    client, key = as_member()
    client.post(f"/keys/{key.pk}/rotate", {"grace": "0"})
    key.refresh_from_db()

    again = client.post(f"/keys/{key.pk}/rotate", {"grace": "24"}, follow=True)
    odd = client.post(f"/keys/{make_key(key.account).api_key.pk}/rotate", {"grace": "100000"})

    assert key.state == "rotated"
    assert "has a successor already" in again.content.decode()
    assert odd.status_code == 422
    assert APIKey.objects.filter(account=key.account).count() == 3


def test_rotation_makes_no_key_live_longer_and_gives_its_successor_as_much_time() -> None:
    key = make_key().api_key
    soon = timezone.now() + timedelta(hours=3)
    key.change(by=SYSTEM, expires_at=soon)

    successor, _ = key.rotate(by=SYSTEM, until=timezone.now() + timedelta(days=7))

    assert key.expires_at == soon
    assert successor.expires_at
    assert timedelta(hours=2) < successor.expires_at - timezone.now() < timedelta(hours=4)


def test_all_keys_are_frozen_and_thawed_with_one_act_each() -> None:
    client, key = as_member()
    before = key.account.epoch

    client.get("/keys/freeze")
    for _ in range(2):
        client.post("/keys/freeze")
    frozen = client.get("/keys").content.decode()
    client.post("/keys/thaw")
    thawed = client.get("/keys").content.decode()

    key.account.refresh_from_db()
    key.refresh_from_db()
    assert "All keys are frozen" in frozen
    assert "All keys are frozen" not in thawed
    assert (key.account.frozen_at, key.account.epoch, key.state) == (None, before + 2, "active")
    assert [notice.subject.rpartition(" ")[2] for notice in Notice.objects.all()] == [
        "frozen",
        "again",
    ]


def test_a_leaked_key_is_revoked_and_told_of_once() -> None:
    key = make_key().api_key

    for _ in range(3):
        key.report_leaked("https://example.com/gist", by=SYSTEM)

    key.refresh_from_db()
    assert (key.state, key.revoke_reason) == ("revoked", Reason.LEAK)
    assert acts_on(key)[1:] == [Action.API_KEY_LEAKED, Action.API_KEY_REVOKED]
    [notice] = Notice.objects.all()
    assert "is revoked" in notice.subject
    assert "https://example.com/gist" in notice.text


def test_a_key_that_is_told_where_it_was_found_is_kept_nowhere() -> None:
    key = make_key()

    key.api_key.report_leaked(f"https://example.com/?key={key.plaintext}&x", by=SYSTEM)

    key.api_key.refresh_from_db()
    assert key.api_key.leaked_where == "https://example.com/?key=kpx_…&x"
    assert not Notice.objects.filter(text__contains=key.plaintext).exists()


def test_an_account_may_want_to_be_told_only() -> None:
    client, key = as_member()
    client.post("/keys/leak-policy", {"leak_policy": LeakPolicy.TELL})

    APIKey.objects.get(pk=key.pk).report_leaked("", by=SYSTEM)

    key.refresh_from_db()
    assert (key.state, bool(key.leaked_at)) == ("active", True)
    [notice] = Notice.objects.all()
    assert "It still works" in notice.text
    assert "Leaked" in client.get("/keys").content.decode()
    assert "Rotate it now" in client.get(f"/keys/{key.pk}").content.decode()


def test_a_honey_key_alarms_once_an_hour_and_is_flagged() -> None:
    client, _ = as_member()
    client.post("/keys/new", FORM | {"honey": "on"})
    honey = APIKey.objects.get(honey=True)

    for _ in range(3):
        honey.alarm("203.0.113.9")
    honey.report_leaked("", by=SYSTEM)

    honey.refresh_from_db()
    assert (honey.state, honey.last_used_ip) == ("honey", "203.0.113.9")
    assert Notice.objects.filter(subject__contains="tried").count() == 1
    assert acts_on(honey).count(Action.API_KEY_HONEY_TRIED) == 1
    assert "Tried" in client.get("/keys").content.decode()
    assert not APIKey.objects.usable().filter(honey=True).exists()


def test_limits_are_set_from_the_page_and_soft_ones_stay() -> None:
    client, key = as_member()
    limit_key(key, {"soft_tokens_per_day": 5, "requests_per_day": 9}, by=SYSTEM)

    bad = client.post(f"/keys/{key.pk}/limits", {"tokens_per_day": "-1"})
    client.post(f"/keys/{key.pk}/limits", {"tokens_per_lifetime": "1000"})

    key.refresh_from_db()
    assert bad.status_code == 422
    assert key.limits == {"soft_tokens_per_day": 5, "tokens_per_lifetime": 1000}
    assert 'value="1000"' in client.get(f"/keys/{key.pk}").content.decode()


@pytest.mark.parametrize(("act", "form"), ACTS)
@pytest.mark.parametrize("role", ["viewer", "billing"])
def test_who_may_only_look_changes_nothing(role: str, act: str, form: dict[str, object]) -> None:
    client, key = as_member(role)
    before = APIKey.objects.filter(pk=key.pk).values().get()

    answers = [client.post(f"/keys/{key.pk}/{act}", form), client.post(f"/keys/0/{act}", form)]
    others = [client.post(f"/keys/{name}") for name in ("freeze", "thaw", "leak-policy")]

    assert {answer.status_code for answer in [*answers, *others]} == {403}
    assert APIKey.objects.filter(pk=key.pk).values().get() == before
    page = client.get(f"/keys/{key.pk}")
    assert page.status_code == 200
    assert "Revoke" not in page.content.decode()


def said(answer: Any) -> str:
    """A page without what differs from one request to the next."""
    return re.sub(r"[0-9A-Za-z]{64}|[0-9]+", "", answer.content.decode())


@pytest.mark.parametrize(("act", "form"), ACTS)
def test_a_key_of_others_is_as_unknown_as_one_that_never_was(
    act: str, form: dict[str, object]
) -> None:
    _, key = as_member()
    stranger, _ = as_member()
    before = APIKey.objects.filter(pk=key.pk).values().get()

    theirs = stranger.post(f"/keys/{key.pk}/{act}", form)
    unknown = stranger.post(f"/keys/{key.pk + 10**6}/{act}", form)
    pages = [stranger.get(f"/keys/{pk}") for pk in (key.pk, key.pk + 10**6)]

    assert {answer.status_code for answer in [theirs, unknown, *pages]} == {404}
    assert said(theirs) == said(unknown)
    assert APIKey.objects.filter(pk=key.pk).values().get() == before


def test_a_visitor_from_the_street_is_sent_to_sign_in(client: Client) -> None:
    key = make_key(make_account(make_user())).api_key

    for path in ("", "/rotate", "/revoke"):
        assert client.get(f"/keys/{key.pk}{path}").status_code == 302


@pytest.mark.parametrize("act", ["deactivate", "reactivate", "change", "limits"])
def test_looking_changes_nothing(act: str) -> None:
    client, key = as_member()

    assert client.get(f"/keys/{key.pk}/{act}").status_code == 405
    assert client.get("/keys/thaw").status_code == 405
    assert APIKey.objects.get(pk=key.pk).scopes == EVERYTHING
