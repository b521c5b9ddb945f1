"""An account can have its end users told apart without their names being kept."""

import re

import httpx
import pytest

from accounts.audit import SYSTEM
from accounts.models import Account
from tests.dashboard.conftest import browser_of
from tests.gateway.conftest import Recorded
from tests.people import Issued, make_account, make_colleague, make_key, make_user

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "ada@example.com"


def ask(client: httpx.Client, key: Issued, **more: object) -> str:
    body = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "hi"}], "user": NAME}
    answer = client.post("/v1/chat/completions", json=body | more, headers=key.headers)
    assert answer.status_code == 200
    request_id: str = answer.headers["x-request-id"]
    return request_id


def make_discreet() -> Account:
    account = make_account(make_user())
    account.hide_end_users(True, by=SYSTEM)
    return account


def test_a_name_is_kept_as_a_digest_that_stays_the_same_within_the_account(
    client: httpx.Client, recorded: Recorded
) -> None:
    account, plain = make_discreet(), make_account(make_user())
    key, colleagues, strangers = make_key(account), make_key(account), make_key(make_discreet())

    ours = [ask(client, key), ask(client, key, stream=True), ask(client, colleagues)]
    theirs, named = ask(client, strangers), ask(client, make_key(plain))

    [digest] = {recorded(request_id).end_user for request_id in ours}
    assert re.fullmatch("enduser_[0-9a-f]{32}", digest)
    assert recorded(theirs).end_user not in {digest, NAME, ""}
    assert recorded(named).end_user == NAME


def test_it_holds_from_the_next_request_on(client: httpx.Client, recorded: Recorded) -> None:
    account = make_account(make_user())
    key = make_key(account)
    before = [ask(client, key) for _ in range(4)]

    account.hide_end_users(True, by=SYSTEM)
    after = [ask(client, key) for _ in range(4)]

    assert {recorded(request_id).end_user for request_id in before} == {NAME}
    assert NAME not in {recorded(request_id).end_user for request_id in after}


def test_whoever_knows_the_name_finds_its_requests(
    client: httpx.Client, recorded: Recorded
) -> None:
    account = make_discreet()
    request_id = ask(client, make_key(account))
    digest = recorded(request_id).end_user
    member = browser_of(make_colleague(account))
    stranger = browser_of(make_discreet().members.get())

    for words in (NAME, digest):
        assert request_id in member.get("/logs", {"q": words}).content.decode()
        assert request_id not in stranger.get("/logs", {"q": words}).content.decode()
    assert request_id not in member.get("/logs", {"q": "bob@example.com"}).content.decode()


def test_an_admin_chooses_it_and_a_viewer_does_not() -> None:
    account = make_account(make_user())
    form = {"name": account.name, "hides_end_users": "on"}

    refused = browser_of(make_colleague(account, "viewer")).post("/settings/account", form)
    account.refresh_from_db()
    before = account.hides_end_users
    browser_of(make_colleague(account, "admin")).post("/settings/account", form)
    account.refresh_from_db()

    assert refused.status_code == 403
    assert (before, account.hides_end_users) == (False, True)
    assert account.audit_entries.filter(action="account.settings_changed").count() == 1
