"""Whatever a provider makes of an answer, clients get one that they can read (rules 2 to 9)."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.gateway.scripted import UPSTREAM, Scripted
from tests.people import make_key
from usage.models import RequestLog

Recorded = Callable[[str], RequestLog]
ASK = {"messages": [{"role": "user", "content": "Hello"}]}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def ask(client: httpx.Client, model: str, **fields: Any) -> httpx.Response:
    return client.post(
        "/v1/chat/completions", headers=make_key().headers, json=ASK | {"model": model} | fields
    )


def whole(message: dict[str, Any], **choice: Any) -> dict[str, Any]:
    return {
        "id": "theirs",
        "model": UPSTREAM,
        "choices": [{"message": message} | choice],
        "usage": USAGE,
    }


def piece(delta: dict[str, Any] | None, **choice: Any) -> dict[str, Any]:
    return {"id": "theirs", "model": UPSTREAM, "choices": [{"index": 0, "delta": delta} | choice]}


def chunks_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Every chunk of a stream that ends as it should; nothing else stands on the wire."""
    *lines, done = [line for line in answer.text.split("\n\n") if line]
    assert done == "data: [DONE]"
    assert all(line.startswith("data: {") for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def stream(client: httpx.Client, model: str, **fields: Any) -> list[dict[str, Any]]:
    return chunks_of(ask(client, model, stream=True, **fields))


def test_a_whole_answer_has_every_required_field(client: httpx.Client, provider: Scripted) -> None:
    provider.says(whole({"content": "Hi"}, finish_reason="eos") | {"error": None, "vendor": 1.0})

    answer = ask(client, model := provider.serves())

    document = answer.json()
    assert document["id"] == "chatcmpl-" + answer.headers["x-request-id"].removeprefix("req_")
    assert document["object"] == "chat.completion"
    assert document["model"] == model
    assert isinstance(document["created"], int)
    assert "error" not in document
    assert '"vendor":1.0' in answer.text
    assert document["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("STOP", "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("SAFETY", "content_filter"),
        ("tool_use", "tool_calls"),
        ("function_call", "function_call"),
        (None, "stop"),
    ],
)
def test_the_reason_for_the_end_is_one_that_clients_know(
    client: httpx.Client, provider: Scripted, theirs: str | None, ours: str
) -> None:
    provider.says(whole({"content": "Hi"}, finish_reason=theirs))

    answer = ask(client, provider.serves())

    assert answer.json()["choices"][0]["finish_reason"] == ours


def test_tool_calls_are_the_reason_where_there_are_any(
    client: httpx.Client, provider: Scripted
) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    extra = {"extra_content": {"google": {"thought_signature": "x=="}}}
    provider.says(whole({"content": None, "tool_calls": [call | extra]}, finish_reason="stop"))

    choice = ask(client, provider.serves()).json()["choices"][0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [call | extra]


def test_an_answer_that_the_provider_broke_off_is_an_error(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.says(whole({"content": "Hal"}, finish_reason="error"))

    answer = ask(client, provider.serves())

    assert answer.status_code == 500, answer.text
    assert answer.json()["error"]["type"] == "server_error"


def test_every_chunk_is_under_one_id_one_time_and_one_name(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.streams(
        piece({"content": "a"}) | {"id": "1", "created": 5, "model": "x"},
        {"choices": [{"delta": {"content": "b"}}]},
        piece({}, finish_reason="stop") | {"id": "2"},
    )

    chunks = stream(client, model := provider.serves())

    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["model"] for chunk in chunks} == {model}
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1
    assert [chunk["choices"][0]["index"] for chunk in chunks] == [0, 0, 0]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]


def test_the_first_chunk_of_each_choice_says_who_speaks(
    client: httpx.Client, provider: Scripted
) -> None:
    second = {"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}
    provider.streams(
        piece({"content": "a"}),
        {"choices": [second]},
        piece({"content": "c"}, finish_reason="stop"),
    )

    deltas = [chunk["choices"][0]["delta"] for chunk in stream(client, provider.serves())]

    assert deltas == [
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"content": "c"},
    ]


def test_a_piece_of_a_tool_call_belongs_to_one_number(
    client: httpx.Client, provider: Scripted
) -> None:
    def call(**fields: Any) -> dict[str, Any]:
        return piece({"tool_calls": [fields]})

    provider.streams(
        call(id="a", type="function", function={"name": "f", "arguments": ""}),
        call(function={"arguments": "{}"}),
        call(id="b", type="function", function={"name": "g", "arguments": ""}),
        call(id="b", function={"arguments": "[]"}),
        piece(None, finish_reason="stop"),
    )

    chunks = stream(client, provider.serves())

    numbers = [chunk["choices"][0]["delta"]["tool_calls"][0]["index"] for chunk in chunks[:-1]]
    assert numbers == [0, 0, 1, 1]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_nothing_but_data_reaches_the_client(client: httpx.Client, provider: Scripted) -> None:
    hello = json.dumps(piece({"content": "a"})).encode()
    provider.streams(
        b": OPENROUTER PROCESSING\r\n\r\n",
        b'retry: 3000\n\nevent: ping\n\nevent: ping\ndata: {"type":"ping"}\n\n',
        b"id: 1\nevent: message\ndata:"
        + hello.replace(b', "model"', b',\ndata: "model"')
        + b"\n\n",
        b'data: {"choices": [], "prompt_filter_results": []}\n\n',
        piece({}, finish_reason="stop"),
    )

    chunks = stream(client, provider.serves())

    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == ["a", None]


def test_an_error_of_null_is_no_error_and_never_passed_on(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.streams(piece({"content": "a"}, finish_reason="stop") | {"error": None})

    [chunk] = stream(client, provider.serves())

    assert "error" not in chunk


@pytest.mark.parametrize("place", ["own", "last", "every", "without choices"])
def test_usage_comes_last_and_only_to_who_asked(
    client: httpx.Client, provider: Scripted, recorded: Recorded, place: str
) -> None:
    content, end = piece({"content": "a"}), piece({}, finish_reason="stop")
    own = {"choices": [], "usage": USAGE}
    events = {
        "own": [content, end, own],
        "last": [content, end | {"usage": USAGE}],
        "every": [content | {"usage": {"prompt_tokens": 5}}, end | {"usage": USAGE}],
        "without choices": [content, end, {"usage": USAGE}],
    }[place]
    provider.streams(*events)
    model = provider.serves()

    silent = ask(client, model, stream=True)
    *told, last = stream(client, model, stream_options={"include_usage": True})

    assert not [chunk for chunk in chunks_of(silent) if "usage" in chunk or not chunk["choices"]]
    assert (last["choices"], last["usage"]) == ([], USAGE)
    assert [chunk["usage"] for chunk in told] == [None, None]
    assert provider.heard[0]["stream_options"] == {"include_usage": True}
    row = recorded(silent.headers["x-request-id"])
    assert (row.prompt_tokens, row.completion_tokens, row.usage_source) == (5, 7, "provider")


def test_a_proper_end_may_lack_done_or_the_reason_but_not_both(
    client: httpx.Client, provider: Scripted
) -> None:
    model = provider.serves()
    content, end = piece({"content": "a"}), piece({}, finish_reason="stop")

    provider.script[:] = []
    provider.streams(content, end, done=False)
    without_done = stream(client, model)
    provider.script[:] = []
    provider.streams(content, b"data: [DONE]", done=False)
    without_reason = stream(client, model)
    provider.script[:] = []
    provider.streams(content, done=False)
    neither = ask(client, model, stream=True)

    assert without_done[-1]["choices"][0]["finish_reason"] == "stop"
    assert without_reason[-1]["choices"][0]["finish_reason"] == "stop"
    assert "[DONE]" not in neither.text
    error = json.loads(neither.text.strip().split("\n\n")[-1].removeprefix("data: "))
    assert list(error) == ["error"]
    assert set(error["error"]) == {"type", "code", "message", "param", "request_id"}


def test_a_body_where_a_stream_was_asked_becomes_one(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.says(whole({"role": "assistant", "content": "Hi"}, index=0, finish_reason="stop"))

    [chunk] = stream(client, provider.serves())

    assert chunk["choices"][0]["delta"]["content"] == "Hi"
    assert "message" not in chunk["choices"][0]
    assert chunk["choices"][0]["finish_reason"] == "stop"


def test_what_is_no_utf8_reaches_the_client_as_a_replacement(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.says(b'\xef\xbb\xbf{"choices": [{"message": {"content": "a\xff\\ud83d\\\\ud83d"}}]}')

    answer = ask(client, provider.serves())

    assert '"content":"a\ufffd\\ufffd\\\\ud83d"' in answer.content.decode()
    assert answer.json()["usage"]["total_tokens"] > 0
