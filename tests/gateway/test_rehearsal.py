"""A dry run says what the real request would meet, and leaves no trace."""

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.gateway.scripted import Scripted
from tests.gateway.test_bad_input import check
from tests.people import make_key
from usage.models import RequestLog

DRY = {"X-Keyplex-Dry-Run": "true"}
HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello"}]}
REQUESTS = [
    ("chat/completions", HELLO),
    ("chat/completions", HELLO | {"stream": True}),
    ("completions", {"model": "keyplex/echo", "prompt": ["a", "b"]}),
    ("embeddings", {"model": "keyplex/embedding", "input": "Hello"}),
]


@pytest.mark.parametrize(("endpoint", "body"), REQUESTS)
def test_every_endpoint_can_be_rehearsed_without_a_call_or_a_charge(
    client: httpx.Client, endpoint: str, body: dict[str, Any]
) -> None:
    key = make_key(requests_per_minute=1, tokens_per_day=10_000)

    answers = [
        client.post(f"/v1/{endpoint}", headers=key.headers | DRY, json=body) for _ in range(3)
    ]

    for answer in answers:
        document = answer.json()
        assert (document["object"], document["passes"]) == ("dry_run", True)
        assert document["endpoint"] == endpoint
        assert document["error"] is None
        assert document["routes"][0]["outcome"] == "would be asked"
        [requests, tokens] = document["limits"]
        assert (requests["used"], requests["remaining"]) == (0, 0)
        assert tokens["remaining"] == 10_000 - document["reserved_tokens"]
        assert answer.headers["x-ratelimit-remaining-requests"] == "1"
    assert not RequestLog.objects.exists()
    assert client.post(f"/v1/{endpoint}", headers=key.headers, json=body).status_code == 200


def test_a_refusal_is_foretold_with_its_words(client: httpx.Client) -> None:
    key = make_key(requests_per_minute=1)
    client.post("/v1/chat/completions", headers=key.headers, json=HELLO)

    foretold = client.post("/v1/chat/completions", headers=key.headers | DRY, json=HELLO)
    real = client.post("/v1/chat/completions", headers=key.headers, json=HELLO)

    document = foretold.json()
    assert foretold.status_code == 200
    assert document["passes"] is False
    assert document["error"]["code"] == real.json()["error"]["code"] == "rate_limit_exceeded"
    assert document["passes_at"] - int(real.headers["x-ratelimit-reset-requests"]) in (0, 1, -1)


def test_what_is_wrong_is_wrong_in_a_dry_run_too(client: httpx.Client) -> None:
    headers = make_key().headers

    wrong = client.post(
        "/v1/chat/completions", headers=headers | DRY, json=HELLO | {"temperature": 9}
    )
    unknown = client.post(
        "/v1/chat/completions", headers=headers | {"X-Keyplex-Dry-Run": "maybe"}, json=HELLO
    )

    check(wrong, 400, "invalid_value", "temperature")
    check(unknown, 400, "invalid_value", "X-Keyplex-Dry-Run")


def test_the_verdict_is_that_of_the_real_request(client: httpx.Client, provider: Scripted) -> None:
    provider.says({"choices": [{"message": {"content": "Hi"}}], "usage": {"total_tokens": 9}})
    model, dice = provider.serves(), random.Random(7)
    for _ in range(20):
        limits = {"requests_per_minute": dice.randrange(1, 9), "tokens_per_day": 400}
        headers = make_key(**limits).headers
        for _ in range(10):
            body = HELLO | {"model": model, "max_tokens": dice.randrange(1, 90)}
            foretold = client.post("/v1/chat/completions", headers=headers | DRY, json=body)
            real = client.post("/v1/chat/completions", headers=headers, json=body)

            assert foretold.json()["passes"] is (real.status_code == 200)


def test_a_route_that_cannot_be_asked_says_why(
    client: httpx.Client, recorded: Callable[[str], RequestLog]
) -> None:
    answer = client.post(
        "/v1/chat/completions", headers=make_key().headers | DRY, json=HELLO | {"model": "gpt-5.2"}
    )

    assert {route["outcome"] for route in answer.json()["routes"]} == {"not configured"}
