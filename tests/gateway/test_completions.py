"""Text completions: of models made for them, and of models that only chat."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from tests.gateway.scripted import UPSTREAM, Scripted
from tests.gateway.test_bad_input import check
from tests.people import make_key
from usage.models import RequestLog

URL = "/v1/completions"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
Recorded = Callable[[str], RequestLog]


def ask(client: httpx.Client, model: str = "keyplex/echo", **fields: Any) -> httpx.Response:
    key = make_key(scopes=["completions:write"])
    return client.post(URL, headers=key.headers, json={"model": model} | fields)


def test_a_model_that_only_chats_completes_a_prompt(
    client: httpx.Client, recorded: Recorded
) -> None:
    answer = ask(client, prompt="Say this is a test")

    document = answer.json()
    assert document["id"].startswith("cmpl-")
    assert (document["object"], document["model"]) == ("text_completion", "keyplex/echo")
    assert document["choices"] == [
        {"text": "Say this is a test", "index": 0, "logprobs": None, "finish_reason": "stop"}
    ]
    assert document["usage"] == {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
    assert answer.headers["x-keyplex-translated"] == "chat"
    row = recorded(answer.headers["x-request-id"])
    assert (row.endpoint, row.outcome, row.total_tokens) == ("completions", "ok", 10)
    assert row.decision["translated"] is True


def test_sixteen_tokens_are_generated_where_nothing_is_said(client: httpx.Client) -> None:
    [choice] = ask(client, prompt="four" * 30).json()["choices"]

    assert choice["text"] == "four" * 16
    assert choice["finish_reason"] == "length"


def test_several_prompts_are_answered_in_their_order(
    client: httpx.Client, recorded: Recorded
) -> None:
    answer = ask(client, prompt=["one", "two", "three"])

    choices = answer.json()["choices"]
    assert [(choice["index"], choice["text"]) for choice in choices] == [
        (0, "one"),
        (1, "two"),
        (2, "three"),
    ]
    row = recorded(answer.headers["x-request-id"])
    assert (row.prompt_tokens, row.completion_tokens, row.usage_source) == (4, 4, "provider")


def test_several_prompts_come_in_one_stream(client: httpx.Client, recorded: Recorded) -> None:
    answer = ask(client, prompt=["one", "two"], stream=True, stream_options={"include_usage": True})

    *events, done = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    *chunks, last = [json.loads(event) for event in events]
    assert done == "[DONE]"
    texts = {0: "", 1: ""}
    for chunk in chunks:
        texts[chunk["choices"][0]["index"]] += chunk["choices"][0]["text"]
    assert texts == {0: "one", 1: "two"}
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert last["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    assert recorded(answer.headers["x-request-id"]).total_tokens == 4


def test_a_model_made_for_it_gets_the_request_as_it_was(
    client: httpx.Client, provider: Scripted
) -> None:
    choices = [{"text": None, "finish_reason": "eos"}, {"text": "b", "index": 1}]
    provider.says({"id": "theirs", "model": UPSTREAM, "choices": choices, "usage": USAGE})
    model = provider.serves(kind="completion")

    answer = ask(client, model, prompt=[[1, 2], [3]], echo=True, suffix="!", vendor=1.0)

    assert provider.paths == ["/v1/completions"]
    assert b'"vendor":1.0' in provider.bodies[0]
    assert provider.heard[0]["prompt"] == [[1, 2], [3]]
    assert provider.heard[0]["max_tokens"] == 16
    assert [(c["text"], c["finish_reason"]) for c in answer.json()["choices"]] == [
        ("", "stop"),
        ("b", "stop"),
    ]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": "a", "suffix": "b"}, "suffix"),
        ({"prompt": "a", "echo": True}, "echo"),
        ({"prompt": "a", "best_of": 2}, "best_of"),
        ({"prompt": "a", "logprobs": 1}, "logprobs"),
    ],
)
def test_what_a_chat_model_cannot_be_asked_is_refused_by_name(
    client: httpx.Client, fields: dict[str, Any], param: str
) -> None:
    answer = ask(client, **fields)

    check(answer, 400, "unsupported_parameter", param)


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({}, "missing_field", "prompt"),
        ({"prompt": None}, "invalid_value", "prompt"),
        ({"prompt": []}, "invalid_value", "prompt"),
        ({"prompt": [1, "a"]}, "invalid_value", "prompt"),
        ({"prompt": [[1], []]}, "invalid_value", "prompt"),
        ({"prompt": ["a"] * 129}, "invalid_value", "prompt"),
        ({"prompt": "a", "n": 0}, "invalid_value", "n"),
        ({"prompt": "a", "max_tokens": -1}, "invalid_value", "max_tokens"),
        ({"prompt": "a" * 200_000}, "context_length_exceeded", "prompt"),
    ],
)
def test_a_wrong_field_is_named(
    client: httpx.Client, fields: dict[str, Any], code: str, param: str
) -> None:
    answer = ask(client, **fields)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["param"] == param


def test_a_key_without_the_scope_and_a_model_of_another_kind_are_refused(
    client: httpx.Client,
) -> None:
    fields = {"model": "keyplex/echo", "prompt": "a"}

    no_scope = client.post(URL, headers=make_key(scopes=["chat:write"]).headers, json=fields)
    other_kind = ask(client, "keyplex/embedding", prompt="a")

    check(no_scope, 403, "insufficient_scope")
    check(other_kind, 400, "wrong_kind_of_model", "model")


def test_the_official_client_reads_both_ways(client: httpx.Client) -> None:
    official = openai.OpenAI(base_url=f"{client.base_url}/v1", api_key=make_key().plaintext)

    whole = official.completions.create(model="keyplex/echo", prompt="Hello")
    streamed = official.completions.create(model="keyplex/echo", prompt="Hello", stream=True)

    assert whole.choices[0].text == "Hello"
    assert "".join(chunk.choices[0].text for chunk in streamed) == "Hello"
