"""A key that nobody may use: its owner reads of it in the log, and it works again at once."""

import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import keys
from accounts.audit import SYSTEM
from accounts.models import Account
from gateway.auth import Callers
from gateway.caller import Caller
from gateway.guesses import Guesses
from tests.gateway.conftest import Recorded
from tests.gateway.test_bad_input import HELLO, check
from tests.gateway.test_guessing import Untouched
from tests.gateway.test_key_rules import wait_for
from tests.people import Issued, make_key
from usage.models import RequestLog
from usage.recorder import Recorder

CHAT = "/v1/chat/completions"
WORKERS = 2
LOGGED = 60  # a minute, by each worker


def deactivate(key: Issued) -> None:
    key.api_key.deactivate(by=SYSTEM)


def revoke(key: Issued) -> None:
    key.api_key.revoke(by=SYSTEM)


def rotate(key: Issued) -> None:
    key.api_key.rotate(by=SYSTEM, until=timezone.now())


def expire(key: Issued) -> None:
    key.api_key.change(by=SYSTEM, expires_at=timezone.now())


def freeze(key: Issued) -> None:
    Account.objects.get(pk=key.account.pk).freeze(by=SYSTEM)


def suspend(key: Issued) -> None:
    key.account.suspend(by=SYSTEM)


def close(key: Issued) -> None:
    key.account.schedule_deletion(by=SYSTEM)
    Account.objects.update(deletion_due_at=timezone.now() - timedelta(days=1))
    assert Account.objects.get(pk=key.account.pk).close()


BARRED: dict[str, tuple[Callable[[Issued], None], int]] = {
    "key_deactivated": (deactivate, 401),
    "key_revoked": (revoke, 401),
    "key_rotated": (rotate, 401),
    "key_expired": (expire, 401),
    "account_frozen": (freeze, 403),
    "account_suspended": (suspend, 403),
}


def logged(key: Issued) -> int:
    Recorder(settings.JOURNAL_DIR).run_once()
    return RequestLog.objects.filter(api_key_id=key.api_key.pk).count()


@pytest.mark.parametrize("code", BARRED)
def test_a_refusal_at_the_door_is_in_the_log_with_its_reason(
    client: httpx.Client, recorded: Recorded, code: str
) -> None:
    bar, status = BARRED[code]
    key = make_key()
    bar(key)

    answer = client.post(CHAT, headers=key.headers, json=HELLO)

    message = check(answer, status, code)
    row = recorded(answer.headers["x-request-id"])
    assert (row.account_id, row.api_key_id) == (key.account.pk, key.api_key.pk)
    assert (row.status_code, row.outcome, row.error_code) == (status, "refused", code)
    assert (row.endpoint, row.error_message) == ("chat/completions", message)
    assert (row.admitted, row.total_tokens, row.decision) == (False, 0, {})
    assert not [name for name in answer.headers if "ratelimit" in name]
    assert key.plaintext not in str(vars(row))


def test_a_key_that_stops_while_it_is_known_is_in_the_log_as_well(
    client: httpx.Client, recorded: Recorded
) -> None:
    key = make_key()
    for _ in range(8):
        assert client.post(CHAT, headers=key.headers, json=HELLO).status_code == 200
    revoke(key)

    answers = [client.post(CHAT, headers=key.headers, json=HELLO) for _ in range(4)]

    rows = [recorded(answer.headers["x-request-id"]) for answer in answers]
    assert [(row.outcome, row.error_code) for row in rows] == [("refused", "key_revoked")] * 4


def test_the_owner_and_a_colleague_may_ask_why_and_a_stranger_learns_nothing(
    client: httpx.Client, recorded: Recorded
) -> None:
    key, stranger = make_key(), make_key()
    owner, colleague = make_key(key.account), make_key(key.account)
    revoke(key)
    request_id = client.get("/v1/key", headers=key.headers).headers["x-request-id"]
    recorded(request_id)

    told = [client.get(f"/v1/explain/{request_id}", headers=k.headers) for k in (owner, colleague)]
    foreign = client.get(f"/v1/explain/{request_id}", headers=stranger.headers)

    for answer in told:
        assert answer.json()["error"]["code"] == "key_revoked"
        assert answer.json()["meaning"] == (
            "Refused before any model was asked; it used no tokens."
        )
    check(foreign, 404, "unknown_request")


def test_nothing_is_logged_of_keys_that_are_nobodys(client: httpx.Client) -> None:
    key, closed = make_key(), make_key()
    issue = type(key.api_key).objects.issue
    bait = Issued(*issue(key.account, name="Bait", scopes=[], by=SYSTEM, honey=True))
    close(closed)
    client.headers["User-Agent"] = agent = keys.generate()[-20:]

    unknown = client.get("/v1/key", headers={"x-api-key": keys.generate()})
    honey = client.get("/v1/key", headers=bait.headers)
    gone = client.get("/v1/key", headers=closed.headers)
    wait_for(lambda: key.account.notices.exists())

    assert [unknown.status_code, honey.status_code, gone.status_code] == [401] * 3
    check(gone, 401, "key_revoked")
    assert logged(closed) == logged(bait) == 0
    assert not RequestLog.objects.filter(user_agent=agent).exists()


def test_of_a_storm_with_a_dead_key_only_the_beginning_is_written(client: httpx.Client) -> None:
    key, colleague = make_key(), make_key()
    revoke(key)
    revoke(colleague)

    statuses = {client.get("/v1/key", headers=key.headers).status_code for _ in range(200)}
    client.get("/v1/key", headers=colleague.headers)

    assert statuses == {401}
    assert LOGGED <= logged(key) <= WORKERS * LOGGED
    assert logged(colleague) == 1


@pytest.mark.parametrize(
    ("bar", "free"),
    [
        (deactivate, lambda key: key.api_key.reactivate(by=SYSTEM)),
        (freeze, lambda key: Account.objects.get(pk=key.account.pk).thaw(by=SYSTEM)),
        (suspend, lambda key: Account.objects.get(pk=key.account.pk).reinstate(by=SYSTEM)),
    ],
    ids=["key", "frozen", "suspended"],
)
def test_what_works_again_is_taken_by_every_worker_within_a_second(
    client: httpx.Client, bar: Callable[[Issued], None], free: Callable[[Issued], None]
) -> None:
    key = make_key()
    bar(key)
    for _ in range(8):
        assert client.get("/v1/key", headers=key.headers).status_code in (401, 403)

    free(key)
    time.sleep(0.6)

    statuses = [client.get("/v1/key", headers=key.headers).status_code for _ in range(8)]
    assert statuses == [200] * 8


@pytest.mark.anyio
async def test_a_storm_with_a_dead_key_is_looked_up_twice_a_second(dead: Issued) -> None:
    callers = Callers(Guesses(Untouched(), "keys", 60, "wrong keys"))  # type: ignore[arg-type]
    until = time.monotonic() + 1.4
    seen: set[Caller] = set()
    asked = 0

    while time.monotonic() < until:
        seen.add(await callers.authenticate({b"x-api-key": dead.plaintext.encode()}, "192.0.2.1"))
        asked += 1

    assert asked > 1000
    assert 2 <= len(seen) <= 3
    assert all(caller.barred for caller in seen)


@pytest.fixture
def dead(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Issued:
    """Also for a gateway in this very process, whose connections must not outlive the database."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    key = make_key()
    revoke(key)
    return key
