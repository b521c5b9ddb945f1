"""A chat completion is answered as the seed shows it, and written down exactly once."""

import json
from collections.abc import Callable

import httpx
import pytest

from tests.people import make_key
from usage.models import RequestLog

Recorded = Callable[[str], RequestLog]
HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello, world!"}]}


def events_of(answer: httpx.Response) -> list[str]:
    return [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]


@pytest.mark.parametrize("base", ["/v1", "/api/v1"])
def test_an_answer_has_the_documented_shape(client: httpx.Client, base: str) -> None:
    answer = client.post(f"{base}/chat/completions", headers=make_key().headers, json=HELLO)

    assert answer.status_code == 200
    body = answer.json()
    assert body["object"] == "chat.completion"
    assert body["model"] == "keyplex/echo"
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Hello, world!",
        "refusal": None,
    }
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 4, "completion_tokens": 4, "total_tokens": 8}
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_stream_passes_events_and_ends_with_done(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/chat/completions", headers=make_key().headers, json=HELLO | {"stream": True}
    )

    *events, done = events_of(answer)
    chunks = [json.loads(event) for event in events]
    assert done == "[DONE]"
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == "Hello, world!"
    assert {chunk["model"] for chunk in chunks} == {"keyplex/echo"}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_usage_is_in_a_stream_only_for_who_asks(client: httpx.Client) -> None:
    headers = make_key().headers
    asked = HELLO | {"stream": True, "stream_options": {"include_usage": True}}

    silent = client.post("/v1/chat/completions", headers=headers, json=HELLO | {"stream": True})
    told = client.post("/v1/chat/completions", headers=headers, json=asked)

    assert all(json.loads(event)["choices"] for event in events_of(silent)[:-1])
    last = json.loads(events_of(told)[-2])
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 8


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_one_row_with_the_tokens_of_the_provider(
    client: httpx.Client, recorded: Recorded, stream: bool
) -> None:
    key = make_key()

    answer = client.post(
        "/v1/chat/completions",
        headers=key.headers,
        json=HELLO | {"stream": stream, "user": "end-user-7"},
    )

    row = recorded(answer.headers["x-request-id"])
    assert row.account_id == key.account.pk
    assert row.api_key_id == key.api_key.pk
    assert (row.outcome, row.status_code, row.streamed) == ("ok", 200, stream), row.decision
    assert (row.prompt_tokens, row.completion_tokens, row.usage_source) == (4, 4, "provider")
    assert (row.model, row.provider, row.end_user) == ("keyplex/echo", "sandbox", "end-user-7")
    [route] = row.decision["routes"]
    assert (route["provider"], route["model"]) == ("sandbox", "echo")
    assert (route["outcome"], route["status"]) == ("answered", 200)


def test_max_tokens_cuts_the_answer(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/chat/completions", headers=make_key().headers, json=HELLO | {"max_tokens": 1}
    )

    assert answer.json()["choices"][0]["message"]["content"] == "Hell"
    assert answer.json()["choices"][0]["finish_reason"] == "length"


def test_a_stream_that_breaks_says_so_and_never_says_done(
    client: httpx.Client, recorded: Recorded
) -> None:
    answer = client.post(
        "/v1/chat/completions",
        headers=make_key().headers,
        json=HELLO | {"model": "keyplex/midstream-error", "stream": True},
    )

    *chunks, last = events_of(answer)
    error = json.loads(last)
    assert answer.status_code == 200
    assert list(error) == ["error"]
    assert error["error"]["request_id"] == answer.headers["x-request-id"]
    assert "[DONE]" not in answer.text
    row = recorded(answer.headers["x-request-id"])
    assert (row.outcome, row.usage_source) == ("upstream_error", "estimated")
    assert row.completion_tokens == 3 == len(chunks) - 1


@pytest.mark.parametrize(
    ("model", "status", "type_"),
    [
        ("keyplex/429", 429, "rate_limit_error"),
        ("keyplex/503", 503, "model_error"),
        ("keyplex/bad-json", 500, "server_error"),
        ("claude-opus-4.5", 503, "model_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_in_trouble_is_a_clear_error_and_costs_nothing(
    client: httpx.Client, recorded: Recorded, model: str, status: int, type_: str, stream: bool
) -> None:
    key = make_key()

    answer = client.post(
        "/v1/chat/completions", headers=key.headers, json=HELLO | {"model": model, "stream": stream}
    )

    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["type"] == type_
    assert set(error) == {"type", "code", "message", "param", "request_id"}
    assert ("retry-after" in answer.headers) == (status in (429, 503))
    row = recorded(answer.headers["x-request-id"])
    assert (row.outcome, row.prompt_tokens + row.completion_tokens) == ("upstream_error", 0)
    left = client.get("/v1/models", headers=key.headers).headers
    assert left["x-ratelimit-remaining-tokens-day"] == left["x-ratelimit-limit-tokens-day"]


def test_a_client_that_leaves_is_charged_for_what_it_got(
    client: httpx.Client, recorded: Recorded
) -> None:
    long = HELLO | {"model": "keyplex/slow", "stream": True, "max_tokens": 500}
    long |= {"messages": [{"role": "user", "content": "four" * 200}]}
    got = 0

    with client.stream("POST", "/v1/chat/completions", headers=make_key().headers, json=long) as it:
        for line in it.iter_lines():
            got += '"content":"four"' in line
            if got == 10:
                break

    row = wait_for(lambda: recorded(it.headers["x-request-id"]))
    assert row.outcome == "client_disconnect"
    assert row.status_code == 499
    assert got <= row.completion_tokens <= got + 3


def wait_for(look: Callable[[], RequestLog]) -> RequestLog:
    import time

    for _ in range(50):
        try:
            return look()
        except RequestLog.DoesNotExist:
            time.sleep(0.1)
    return look()
