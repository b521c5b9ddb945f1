"""Every answer can be asked why it came: by its owner and their other keys, and by nobody else."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.gateway.scripted import Scripted
from tests.gateway.test_bad_input import check
from tests.people import Issued, make_key
from usage.models import RequestLog
from usage.recorder import Recorder

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def explained(client: httpx.Client) -> Callable[[Issued, httpx.Response], dict[str, Any]]:
    """What the gateway says of an answer, once it is recorded."""

    def ask(key: Issued, answer: httpx.Response) -> dict[str, Any]:
        Recorder(settings.JOURNAL_DIR).run_once()
        url = f"/v1/explain/{answer.headers['x-request-id']}"
        explanation: dict[str, Any] = client.get(url, headers=key.headers).json()
        return explanation

    return ask


Explained = Callable[[Issued, httpx.Response], dict[str, Any]]


def test_an_answer_says_what_it_used_and_who_gave_it(
    client: httpx.Client, explained: Explained
) -> None:
    key = make_key(requests_per_minute=5, tokens_per_day=10_000)
    answer = client.post("/v1/chat/completions", headers=key.headers, json=HELLO)

    explanation = explained(key, answer)

    assert explanation["object"] == "explanation"
    assert explanation["outcome"] == "ok"
    assert (explanation["status"], explanation["error"]) == (200, None)
    assert (explanation["passes"], explanation["passes_at"]) == (True, None)
    assert explanation["usage"]["total_tokens"] == 4
    assert [route["provider"] for route in explanation["routes"]] == ["sandbox"]
    [requests, tokens] = explanation["limits"]
    assert (requests["unit"], requests["window"], requests["limit"]) == ("requests", "minute", 5)
    assert (requests["used"], requests["remaining"], requests["exceeded"]) == (0, 4, False)
    assert tokens["window"] == "day"


def test_a_refusal_says_when_the_same_request_would_have_passed(
    client: httpx.Client, explained: Explained
) -> None:
    key = make_key(requests_per_minute=1, tokens_per_day=10_000)
    client.post("/v1/chat/completions", headers=key.headers, json=HELLO)
    refused = client.post("/v1/chat/completions", headers=key.headers, json=HELLO)

    explanation = explained(key, refused)

    assert (explanation["status"], explanation["outcome"]) == (429, "refused")
    assert explanation["error"]["code"] == "rate_limit_exceeded"
    wait = explanation["passes_at"] - explanation["created"]
    assert wait == pytest.approx(int(refused.headers["retry-after"]), abs=1)
    exceeded = [limit for limit in explanation["limits"] if limit["exceeded"]]
    assert [(limit["unit"], limit["used"], limit["asked"]) for limit in exceeded] == [
        ("requests", 1, 1)
    ]
    assert explanation["routes"] == []


def test_a_request_that_can_never_pass_says_what_would_fit(
    client: httpx.Client, explained: Explained
) -> None:
    key = make_key(tokens_per_minute=50)
    refused = client.post("/v1/chat/completions", headers=key.headers, json=HELLO)

    explanation = explained(key, refused)

    assert (explanation["passes"], explanation["passes_at"]) == (False, None)
    assert explanation["tokens_that_would_fit"] == 50


def test_a_failed_provider_stands_with_its_reason(
    client: httpx.Client, provider: Scripted, explained: Explained
) -> None:
    provider.says({"error": {"message": "no"}}, status=503)
    key = make_key()
    failed = client.post(
        "/v1/chat/completions", headers=key.headers, json=HELLO | {"model": provider.serves()}
    )

    explanation = explained(key, failed)

    assert explanation["outcome"] == "upstream_error"
    assert explanation["error"]["type"] == "model_error"
    assert explanation["routes"]
    assert all(route["outcome"] != "answered" for route in explanation["routes"])


def test_a_colleague_may_ask_and_a_stranger_learns_nothing(
    client: httpx.Client, recorded: Callable[[str], RequestLog]
) -> None:
    owner = make_key()
    colleague, stranger = make_key(owner.account), make_key()
    blind = make_key(owner.account, scopes=["chat:write"])
    answer = client.post("/v1/chat/completions", headers=owner.headers, json=HELLO)
    request_id = answer.headers["x-request-id"]
    recorded(request_id)
    old, future = f"req_{0:012x}{'0' * 16}", f"req_{'f' * 28}"

    asked = client.get(f"/v1/explain/{request_id}", headers=colleague.headers)
    denied = client.get(f"/v1/explain/{request_id}", headers=blind.headers)
    other = client.get(f"/v1/explain/{request_id}", headers=stranger.headers)
    none = client.get(f"/v1/explain/{old}", headers=stranger.headers)
    later = client.get(f"/v1/explain/{future}", headers=stranger.headers)
    wrong = client.get("/v1/explain/req_1", headers=owner.headers)

    assert asked.json()["request_id"] == request_id
    check(denied, 403, "insufficient_scope")
    assert check(other, 404, "unknown_request") == check(none, 404, "unknown_request")
    check(later, 404, "unknown_request")
    check(wrong, 404, "unknown_request")
