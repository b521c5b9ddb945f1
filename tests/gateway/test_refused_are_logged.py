"""Whatever a valid key is refused, it can be found in the log, with the reason."""

from typing import Any

import httpx
import pytest

from accounts.scopes import Scope
from tests.gateway.conftest import Recorded
from tests.gateway.scripted import Scripted
from tests.people import make_key
from usage import log_store
from usage.log_store import Filters

CHAT = "/v1/chat/completions"
SAY = [{"role": "user", "content": "Hello"}]
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "bad JSON": ({"content": b"{"}, 400, "invalid_json"),
    "no messages": ({"json": {"model": "keyplex/echo"}}, 400, "missing_field"),
    "a wrong value": (
        {"json": {"model": "keyplex/echo", "messages": SAY, "temperature": 9}},
        400,
        "invalid_value",
    ),
    "no such model": ({"json": {"model": "none/such", "messages": SAY}}, 404, "model"),
    "not this kind": ({"data": {"a": "b"}, "files": {"f": b"x"}}, 415, ""),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_request_that_is_wrong_is_in_the_log(
    client: httpx.Client, recorded: Recorded, what: str
) -> None:
    given, status, code = REFUSED[what]
    key = make_key()

    answer = client.post(CHAT, headers=key.headers, **given)

    row = recorded(answer.headers["x-request-id"])
    assert answer.status_code == row.status_code == status
    assert row.account_id == key.account.pk
    assert row.outcome == "client_error"
    assert code in row.error_code
    assert row.error_message == answer.json()["error"]["message"]
    found = log_store.page(key.account.pk, Filters(status_class=4, error=row.error_message[:20]))
    assert [row.request_id for row in found.rows] == [row.request_id]


@pytest.mark.parametrize("endpoint", ["chat/completions", "completions", "embeddings", "models"])
def test_a_model_that_is_not_there_is_in_the_log_as_it_was_asked_for(
    client: httpx.Client, recorded: Recorded, endpoint: str
) -> None:
    key, wanted = make_key(), "none/such-" + "x" * 300
    body = {"model": wanted, "messages": SAY, "prompt": "Hello", "input": "Hello"}

    if endpoint == "models":
        answer = client.get(f"/v1/models/{wanted}", headers=key.headers)
    else:
        answer = client.post(f"/v1/{endpoint}", headers=key.headers, json=body)

    row = recorded(answer.headers["x-request-id"])
    assert (row.status_code, row.error_code, row.model) == (404, "invalid_model", "")
    assert row.requested_model == wanted[:200]


def test_a_key_in_the_place_of_a_model_is_not_kept(
    client: httpx.Client, recorded: Recorded
) -> None:
    key = make_key()
    body = {"model": f"a\0b {key.plaintext}", "messages": SAY}

    answer = client.post(CHAT, headers=key.headers, json=body)

    row = recorded(answer.headers["x-request-id"])
    assert row.requested_model == "a\N{REPLACEMENT CHARACTER}b kpx_…"
    assert key.plaintext not in answer.text + str(vars(row))


def test_a_missing_permission_a_limit_and_a_failing_provider_are_in_the_log(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    model = provider.serves()
    provider.says({"error": {"message": "broken"}}, status=500)
    body = {"model": model, "messages": SAY}
    keys = [make_key(scopes=[Scope.USAGE_READ]), make_key(requests_per_minute=1), make_key()]
    client.post(CHAT, headers=keys[1].headers, json=body)

    answers = [client.post(CHAT, headers=key.headers, json=body) for key in keys]

    rows = [recorded(answer.headers["x-request-id"]) for answer in answers]
    assert [answer.status_code for answer in answers] == [row.status_code for row in rows]
    assert [row.status_code for row in rows[:2]] == [403, 429]
    assert rows[2].status_code >= 500
    assert [row.outcome for row in rows] == ["client_error", "refused", "upstream_error"]
    for key, row in zip(keys, rows, strict=True):
        newest, *_ = log_store.page(key.account.pk, Filters(outcome=row.outcome)).rows
        assert newest.request_id == row.request_id
