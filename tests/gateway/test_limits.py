"""The limits as callers meet them: exact, the same everywhere, for the account and for a key."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import redis
from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.audit import SYSTEM
from accounts.models import Account
from billing.limits import NAMES, OF_KEYS
from billing.models import Subscription, limit_key
from tests.gateway import burst
from tests.gateway.site import Site
from tests.people import Issued, make_key, make_plan
from usage.models import RequestLog
from usage.recorder import Recorder

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
ENDPOINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", HELLO),
    "chat, streamed": ("/v1/chat/completions", HELLO | {"stream": True}),
    "embeddings": ("/v1/embeddings", {"model": "keyplex/embedding", "input": "Hi" * 20}),
}
Recorded = Callable[[str], RequestLog]


def call(client: httpx.Client, key: Issued, **fields: Any) -> httpx.Response:
    return client.post("/v1/chat/completions", headers=key.headers, json=HELLO | fields)


def used(client: httpx.Client, key: Issued) -> dict[str, int]:
    data = client.get("/v1/limits", headers=key.headers).json()["data"]
    return {f"{it['scope']} {it['unit']} {it['window']}": it["used"] for it in data}


@pytest.mark.t2
@pytest.mark.parametrize("limit", [1, 20, 60, 200])
def test_a_thousand_at_once_fifty_times(four_workers: Site, limit: int) -> None:
    for _ in range(50):
        admit_exactly(four_workers, limit, of=1000)


@pytest.mark.parametrize("limit", [1, 20, 60])
def test_two_hundred_at_once_are_admitted_up_to_the_limit(four_workers: Site, limit: int) -> None:
    for _ in range(2):
        admit_exactly(four_workers, limit, of=200)


def admit_exactly(site: Site, limit: int, *, of: int) -> None:
    key = make_key(requests_per_minute=limit, tokens_per_minute=10**9)

    came = burst.statuses(site.port, burst.request(key.plaintext, HELLO), of)

    assert came == {200: limit, 429: of - limit}


@pytest.mark.parametrize(
    ("scope", "name"), [("account", name) for name in NAMES] + [("key", name) for name in OF_KEYS]
)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_knows_every_limit(
    client: httpx.Client, endpoint: str, name: str, scope: str
) -> None:
    path, body = ENDPOINTS[endpoint]
    limit = {name: 1 if name.startswith("requests") else 30}
    key = make_key(**limit) if scope == "account" else make_key(own=limit)

    answers = [client.post(path, headers=key.headers, json=body) for _ in range(12)]

    statuses = [answer.status_code for answer in answers]
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {200, 429}
    assert statuses[-1] == 429
    refused = answers[-1]
    unit, window = OF_KEYS[name]
    whose = "your plan" if scope == "account" else "this API key"
    how = f"{unit} in its lifetime" if window == "lifetime" else f"{unit} per {window}"
    assert whose[1:] in refused.json()["error"]["message"]
    assert how in refused.json()["error"]["message"]
    assert refused.headers["x-ratelimit-scope"] == scope
    assert refused.headers.get("x-should-retry") == (None if window == "minute" else "false")


def test_a_limited_key_leaves_its_colleagues_alone_and_counts_for_the_account(
    client: httpx.Client,
) -> None:
    limited = make_key(requests_per_day=4, own={"requests_per_day": 2})
    colleague = make_key(limited.account)

    statuses = [call(client, limited).status_code for _ in range(3)]
    others = [call(client, colleague).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert others == [200, 200, 429]
    assert used(client, limited) == {"account requests day": 4, "key requests day": 2}
    assert used(client, colleague) == {"account requests day": 4}


def test_a_soft_limit_refuses_nothing_and_tells_once_it_is_passed(
    client: httpx.Client, recorded: Recorded
) -> None:
    key = make_key(soft_requests_per_month=2, requests_per_minute=100)

    answers = [call(client, key) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4
    passed = [answer.headers.get("x-ratelimit-soft-passed") for answer in answers]
    told = [f"requests-month;limit=2;used={n}" for n in (3, 4)]
    assert passed == [None, None, *told]
    assert "x-ratelimit-limit-requests-month" not in answers[3].headers
    limits = recorded(answers[3].headers["x-request-id"]).decision["limits"]
    [soft] = [limit for limit in limits if limit["name"] == "soft_requests_per_month"]
    assert (soft["limit"], soft["used"], soft["asked"]) == (2, 3, 1)


@pytest.mark.parametrize(
    "amounts", [{"requests_per_year": 1}, {"soft_tokens_per_day": -1}, {"tokens_per_day": 1.5}, [1]]
)
def test_limits_of_a_key_are_checked_before_they_are_kept(site: Site, amounts: Any) -> None:
    key = make_key(own={"requests_per_day": 2})

    with pytest.raises(ValidationError):
        limit_key(key.api_key, amounts, by=SYSTEM)

    key.api_key.refresh_from_db()
    assert key.api_key.limits == {"requests_per_day": 2}


def test_a_key_is_limited_and_set_free_at_once(client: httpx.Client) -> None:
    key = make_key(requests_per_day=100)
    free = [call(client, key).status_code for _ in range(3)]
    Recorder(settings.JOURNAL_DIR).run_once()

    limit_key(key.api_key, {"requests_per_day": 3}, by=SYSTEM)
    limited = [call(client, key).status_code for _ in range(8)]
    limit_key(key.api_key, {}, by=SYSTEM)
    free_again = [call(client, key).status_code for _ in range(8)]
    Recorder(settings.JOURNAL_DIR).run_once()
    limit_key(key.api_key, {"requests_per_day": 12}, by=SYSTEM)
    limited_again = [call(client, key).status_code for _ in range(8)]

    assert free == [200] * 3
    assert limited == [429] * 8
    assert free_again == [200] * 8
    assert limited_again == [200] + [429] * 7


def test_another_plan_holds_at_once_in_every_process_and_resets_nothing(
    four_workers: Site,
) -> None:
    key = make_key(requests_per_day=6)
    message = burst.request(key.plaintext, HELLO)
    small, large = make_plan("small", requests_per_day=4), make_plan("large", requests_per_day=9)

    before = burst.statuses(four_workers.port, message, 20)
    Subscription.objects.start(key.account, large)
    larger = burst.statuses(four_workers.port, message, 20)
    Subscription.objects.start(Account.objects.get(pk=key.account.pk), small)
    smaller = burst.statuses(four_workers.port, message, 20)

    assert before == {200: 6, 429: 14}
    assert larger == {200: 3, 429: 17}
    assert smaller == {429: 20}
    answer = httpx.get(f"{four_workers.url}/v1/limits", headers=key.headers)
    assert [(it["limit"], it["used"]) for it in answer.json()["data"]] == [(4, 9)]


def test_counters_that_redis_lost_are_those_of_the_books_before_the_next_is_admitted(
    client: httpx.Client,
) -> None:
    key = make_key(requests_per_day=5, tokens_per_month=10**6, own={"requests_per_month": 4})
    before = [call(client, key).status_code for _ in range(3)]
    known = used(client, key)
    Recorder(settings.JOURNAL_DIR).run_once()

    with redis.Redis.from_url(settings.REDIS_URL) as server:
        server.flushdb()
    restored = used(client, key)
    after = [call(client, key).status_code for _ in range(3)]

    assert before == [200] * 3
    assert restored == known
    assert restored["key requests month"] == 3
    assert after == [200, 429, 429]


def test_the_clock_of_the_last_answer_is_that_of_redis(client: httpx.Client) -> None:
    key = make_key(requests_per_day=5)

    reset = int(call(client, key).headers["x-ratelimit-reset-requests-day"])

    assert reset % 86400 == 0
    assert 0 < reset - time.time() <= 86400
