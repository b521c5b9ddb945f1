"""Every answer to a known key tells its limits, in the documented form and in that of the IETF."""

from typing import Any

import http_sf
import httpx
import pytest

from gateway.decisions import Use
from gateway.policy import Policy
from tests.gateway.limiting import PLENTY, policy_of
from tests.people import Issued, make_key

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
LIMITS = {"requests_per_minute": 50, "tokens_per_minute": 10_000, "tokens_per_day": 20_000}
ANSWERS: dict[str, tuple[int, dict[str, Any]]] = {
    "whole": (200, {}),
    "streamed": (200, {"stream": True}),
    "unknown model": (404, {"model": "nobody/knows"}),
    "bad input": (400, {"messages": "Hi"}),
    "provider's limit": (429, {"model": "keyplex/429"}),
    "provider away": (503, {"model": "keyplex/503"}),
    "provider's nonsense": (500, {"model": "keyplex/bad-json"}),
    "never passes": (429, {"max_tokens": 10_001}),
}


def call(client: httpx.Client, key: Issued, **fields: Any) -> httpx.Response:
    return client.post("/v1/chat/completions", headers=key.headers, json=HELLO | fields)


def numbers(answer: httpx.Response, unit: str) -> tuple[int, int, int]:
    kinds = ("limit", "remaining", "reset")
    limit, remaining, reset = (int(answer.headers[f"x-ratelimit-{k}-{unit}"]) for k in kinds)
    return limit, remaining, reset


def fields(answer: httpx.Response, name: str) -> dict[str, dict[str, Any]]:
    """A list of strings with parameters, by a parser of RFC 9651 that forgives nothing."""
    items = http_sf.parse(answer.headers[name].encode(), tltype="list")
    assert all(type(item) is str for item, _ in items)
    return {item: dict(parameters) for item, parameters in items}


@pytest.mark.parametrize("kind", ANSWERS)
def test_whatever_is_answered_tells_the_limits(client: httpx.Client, kind: str) -> None:
    status, body = ANSWERS[kind]

    answer = call(client, make_key(**LIMITS), **body)

    assert answer.status_code == status
    for unit, amount in (("requests", 50), ("tokens", 10_000), ("tokens-day", 20_000)):
        limit, remaining, reset = numbers(answer, unit)
        assert limit == amount
        assert 0 <= remaining <= limit
        assert reset > 1_700_000_000
    assert answer.headers["x-ratelimit-scope"] == "account"
    assert set(fields(answer, "ratelimit")) == {"requests-minute", "tokens-minute", "tokens-day"}


@pytest.mark.parametrize("path", ["/v1/models", "/v1/key", "/v1/limits", "/v1/usage"])
def test_inquiries_tell_them_too(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers=make_key(**LIMITS).headers)

    assert answer.status_code == 200
    assert numbers(answer, "requests")[:2] == (50, 50)


def test_remaining_counts_down_to_nothing_and_the_refusal_says_when_it_would_pass(
    client: httpx.Client,
) -> None:
    key = make_key(requests_per_minute=2, tokens_per_minute=10_000)

    answers = [call(client, key, stream=stream) for stream in (False, True, False)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [numbers(answer, "requests")[1] for answer in answers] == [1, 0, 0]
    refused = answers[2]
    wait = int(refused.headers["retry-after"])
    error = refused.json()["error"]
    assert error["type"] == "rate_limit_error"
    assert "your plan allows 2 requests per minute, 2 are used" in error["message"]
    assert "this request asks for 1" in error["message"]
    assert 1 <= wait <= 61
    assert refused.headers["retry-after-ms"] == str(wait * 1000)
    assert fields(refused, "ratelimit")["requests-minute"]["t"] == wait


def test_the_tighter_of_account_and_key_is_shown_and_named(client: httpx.Client) -> None:
    key = make_key(**LIMITS, requests_per_month=9, own={"requests_per_minute": 3})

    answer = call(client, key)

    assert numbers(answer, "requests")[:2] == (3, 2)
    assert numbers(answer, "requests-month")[:2] == (9, 8)
    assert answer.headers["x-ratelimit-scope"] == "key"
    state = fields(answer, "ratelimit")
    assert (state["requests-minute"]["r"], state["key-requests-minute"]["r"]) == (49, 2)


def test_the_draft_reads_them(client: httpx.Client) -> None:
    answer = call(client, make_key(**LIMITS, requests_per_month=9))

    policy, state = fields(answer, "ratelimit-policy"), fields(answer, "ratelimit")
    assert policy == {
        "requests-minute": {"q": 50, "w": 60},
        "tokens-minute": {"q": 10_000, "qu": "tokens", "w": 60},
        "tokens-day": {"q": 20_000, "qu": "tokens", "w": 86400},
        "requests-month": {"q": 9},
    }
    assert policy.keys() == state.keys()
    assert all(0 <= one["r"] <= policy[name]["q"] for name, one in state.items())
    assert 0 < state["requests-minute"]["t"] <= 61
    assert 0 <= state["requests-month"]["t"] <= 31 * 86400


def test_a_quota_is_nothing_that_an_sdk_should_hammer(client: httpx.Client) -> None:
    key = make_key(tokens_per_day=300)
    assert call(client, key, max_tokens=200).status_code == 200

    refused = call(client, key, max_tokens=295)
    never = call(client, key, max_tokens=301)

    assert refused.headers["x-should-retry"] == never.headers["x-should-retry"] == "false"
    assert refused.json()["error"]["code"] == "quota_exceeded"
    assert "tokens per day" in refused.json()["error"]["message"]
    assert never.json()["error"]["code"] == "request_exceeds_limit"
    assert "retry-after" not in never.headers
    assert numbers(never, "tokens-day")[0] == 300


def test_without_limits_there_is_nothing_to_tell() -> None:
    policy: Policy = policy_of({"soft_tokens_per_day": 10})

    decision = policy.read([b"ok", 10**9, 0, 1, 9, 1, 9, 1, 9], 9, "admit")

    assert decision.headers == []
    assert decision.uses == [
        Use("soft_tokens_per_day", 10, 0, 9, 1, 10**9 // 86400 * 86400 + 86400)
    ]


def test_nothing_is_ever_negative() -> None:
    policy = policy_of(PLENTY | {"requests_per_day": 3})

    decision = policy.read([b"ok", 10**9, 10**9 - 500, 0, 0, 7, 9, 7, 9], 0, "peek")

    headers = dict(decision.headers)
    assert headers[b"x-ratelimit-remaining-requests-day"] == b"0"
    assert b"-" not in headers[b"ratelimit"].replace(b"s-", b"")
