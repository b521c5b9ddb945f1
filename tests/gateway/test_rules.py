"""What clients need of a gateway, in twenty rules: one test for each, on the bytes."""

import base64
import json
import struct
from typing import Any

import httpx
import openai
import pytest

from tests.gateway.scripted import UPSTREAM, Scripted
from tests.gateway.test_bad_input import check
from tests.people import make_key

CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "Hello"}
DONE = b"data: [DONE]\n\n"


def ask(client: httpx.Client, model: str, **fields: Any) -> httpx.Response:
    body = {"model": model, "messages": [USER]} | fields
    return client.post(CHAT, headers=make_key().headers, json=body)


def chunk(text: str | None, **choice: Any) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    return {"choices": [{"index": 0, "delta": delta} | choice]}


END = chunk(None, finish_reason="stop")
WHOLE = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}


def documents(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line for line in answer.text.split("\n\n") if line and "[DONE]" not in line]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_01_the_body_passes_through(client: httpx.Client, provider: Scripted) -> None:
    provider.says(WHOLE)

    ask(client, provider.serves(), top_k=3, metadata={"a": 1.0}, stop=None)

    assert provider.heard == [
        {"model": UPSTREAM, "messages": [USER], "top_k": 3, "metadata": {"a": 1.0}, "stop": None}
    ]


def test_02_a_stream_is_lines_of_data_and_nothing_else(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.streams(b"id: 7\nretry: 10\n\ndata:\n\n: hello\n\nevent: x\n\n", chunk("a"), END)

    answer = ask(client, provider.serves(), stream=True)

    assert [line[:7] for line in answer.text.split("\n\n")] == ["data: {"] * 2 + ["data: [", ""]


def test_03_the_status_waits_for_the_first_event(client: httpx.Client, provider: Scripted) -> None:
    provider.streams({"error": {"message": "overloaded", "code": 503}}, done=False)

    answer = ask(client, provider.serves(), stream=True)

    assert answer.status_code >= 500
    assert answer.headers["content-type"] == "application/json"


def test_04_trouble_in_a_stream_is_one_bare_object(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.streams(chunk("a"), chunk("b", finish_reason="error") | {"error": {"message": "no"}})

    answer = ask(client, provider.serves(), stream=True)

    [_, last] = documents(answer)
    assert list(last) == ["error"]
    assert set(last["error"]) == {"type", "code", "message", "param", "request_id"}
    assert not answer.content.endswith(DONE)


def test_05_an_error_of_null_never_reaches_a_chunk(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.streams(chunk("a") | {"error": None}, END)

    answer = ask(client, provider.serves(), stream=True)

    assert b"error" not in answer.content


def test_06_a_stream_without_an_end_becomes_an_error(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.streams(chunk("half an ans"), done=False)

    answer = ask(client, provider.serves(), stream=True)

    assert "error" in documents(answer)[-1]


def test_07_the_body_closes_right_after_done(client: httpx.Client, provider: Scripted) -> None:
    provider.streams(chunk("a"), END, DONE, b": and on it goes\n\n" * 100, done=False)

    answer = ask(client, provider.serves(), stream=True)

    assert answer.content.count(DONE) == 1
    assert answer.content.endswith(DONE)


def test_08_chunks_carry_what_clients_join_them_by(
    client: httpx.Client, provider: Scripted
) -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    tools = {"choices": [{"delta": {"tool_calls": [call]}}]}
    provider.streams(tools, END)

    [first, last] = documents(ask(client, model := provider.serves(), stream=True))

    head = {name: first[name] for name in ("id", "object", "created", "model")}
    assert (head["object"], head["model"]) == ("chat.completion.chunk", model)
    assert head.items() <= last.items()
    delta = first["choices"][0]["delta"]
    assert (delta["role"], delta["tool_calls"][0]["index"]) == ("assistant", 0)


def test_09_usage_comes_last_and_when_asked_for(client: httpx.Client, provider: Scripted) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    provider.streams(chunk("a"), END | {"usage": usage})
    model = provider.serves()

    unasked = ask(client, model, stream=True)
    asked = ask(client, model, stream=True, stream_options={"include_usage": True})

    assert b"usage" not in unasked.content
    *chunks, last = documents(asked)
    assert {chunk["usage"] for chunk in chunks} == {None}
    assert (last["choices"], last["usage"]) == ([], usage)


@pytest.mark.parametrize("asked", [None, "float", "base64"])
@pytest.mark.parametrize("theirs", ["float", "base64"])
def test_10_embeddings_come_in_the_format_that_was_asked_for(
    client: httpx.Client, provider: Scripted, asked: str | None, theirs: str
) -> None:
    numbers = [0.5, -0.25, 1.0]
    packed = base64.b64encode(struct.pack("<3f", *numbers)).decode()
    provider.says({"data": [{"index": 0, "embedding": numbers if theirs == "float" else packed}]})

    answer = client.post(
        "/v1/embeddings",
        headers=make_key().headers,
        json={
            "model": provider.serves(kind="embedding"),
            "input": "Hello",
            **({"encoding_format": asked} if asked else {}),
        },
    )

    [vector] = answer.json()["data"]
    assert vector["embedding"] == (packed if asked == "base64" else numbers)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/models", 405),
        ("POST", CHAT, 401),
    ],
)
def test_11_every_error_has_one_envelope(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"type", "code", "message", "param", "request_id"}
    assert error["code"] is None or isinstance(error["code"], str)
    assert error["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(400, 400), (401, 503), (402, 503), (403, 503), (404, 400), (422, 400), (500, 503)],
)
def test_12_the_status_is_what_an_exception_is_made_of(
    client: httpx.Client, provider: Scripted, theirs: int, ours: int
) -> None:
    provider.says({"error": {"message": "no"}}, status=theirs)

    answer = ask(client, provider.serves())

    assert answer.status_code == ours


def test_13_a_limit_says_when_and_whether_to_try_again(client: httpx.Client) -> None:
    minute, day = make_key(requests_per_minute=1), make_key(requests_per_day=1)
    hello = {"model": "keyplex/echo", "messages": [USER]}
    for key in (minute, day):
        client.post(CHAT, headers=key.headers, json=hello)

    soon = client.post(CHAT, headers=minute.headers, json=hello)
    late = client.post(CHAT, headers=day.headers, json=hello)

    assert soon.status_code == late.status_code == 429
    assert 1 <= int(soon.headers["retry-after"]) <= 61
    assert int(soon.headers["retry-after-ms"]) == 1000 * int(soon.headers["retry-after"])
    assert "x-should-retry" not in soon.headers
    assert late.headers["x-should-retry"] == "false"


def test_14_what_stays_wrong_has_a_status_that_nobody_retries(client: httpx.Client) -> None:
    too_many = ask(client, "keyplex/echo", messages=[USER], max_tokens=0)
    too_long = ask(client, "keyplex/echo", messages=[{"role": "user", "content": "x" * 200_000}])
    unknown = ask(client, "gpt-999")

    statuses = {answer.status_code for answer in (too_many, too_long, unknown)}
    assert not statuses & {408, 409, 425, 429}
    assert max(statuses) < 500


def test_15_an_unknown_model_is_404_and_names_the_field(client: httpx.Client) -> None:
    answer = ask(client, "gpt-999")

    assert check(answer, 404, "invalid_model", "model") == "The model 'gpt-999' does not exist."
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_16_too_long_a_prompt_is_told_in_the_words_that_clients_look_for(
    client: httpx.Client, provider: Scripted
) -> None:
    said = "the request exceeds the available context size. try increasing it"
    provider.says({"error": {"code": 400, "message": said}}, status=400)

    ours = ask(client, "keyplex/echo", messages=[{"role": "user", "content": "x" * 200_000}])
    theirs = ask(client, provider.serves(context_window=1234))

    words = "This model's maximum context length is {} tokens"
    assert words.format(32000) in check(ours, 400, "context_length_exceeded", "messages")
    assert words.format(1234) in check(theirs, 400, "context_length_exceeded", "messages")
    assert theirs.json()["error"]["type"] == "context_length_error"


def test_17_a_model_is_found_with_its_slash_written_either_way(client: httpx.Client) -> None:
    headers = make_key().headers
    name = "google/gemini-2.0-flash-exp:free"

    plain = client.get(f"/v1/models/{name}", headers=headers)
    quoted = client.get("/v1/models/google%2Fgemini-2.0-flash-exp:free", headers=headers)

    assert plain.json()["id"] == quoted.json()["id"] == name


def test_18_headers_of_the_sdks_change_nothing(client: httpx.Client) -> None:
    strange = {
        "Accept": "text/html",
        "OpenAI-Organization": "org",
        "OpenAI-Project": "p",
        "OpenAI-Beta": "assistants=v2",
        "x-stainless-lang": "python",
        "HTTP-Referer": "https://example.com",
        "X-Title": "x",
        "Idempotency-Key": "1",
    }
    body = {"model": "keyplex/echo", "messages": [USER]}

    answer = client.post(CHAT, headers=make_key().headers | strange, json=body)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def test_19_nothing_of_a_web_framework_stands_in_the_way(client: httpx.Client) -> None:
    picture = "data:image/png;base64," + "A" * 4_000_000
    part = {"type": "image_url", "image_url": {"url": picture}}
    body = {"model": "keyplex/echo", "messages": [{"role": "user", "content": [part]}]}
    headers = make_key(tokens_per_minute=10**9).headers

    answer = client.post(f"{CHAT}/", headers=headers, json=body)

    assert answer.status_code == 200, answer.text
    assert "set-cookie" not in answer.headers


def test_20_the_providers_headers_stay_with_us_but_for_its_retry_after(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.headers = {
        "set-cookie": "a=b",
        "x-ratelimit-limit-requests": "3",
        "openai-organization": "them",
        "retry-after": "17",
    }
    provider.says({"error": {"message": "slow down"}}, status=429)
    key = make_key(requests_per_minute=99)

    limited = client.post(
        CHAT, headers=key.headers, json={"model": provider.serves(), "messages": [USER]}
    )

    assert limited.status_code == 429
    assert limited.headers["retry-after"] == "17"
    assert limited.headers["x-ratelimit-limit-requests"] == "99"
    assert not {"set-cookie", "openai-organization"} & set(limited.headers)


def test_the_official_client_meets_the_classes_of_its_own_errors(client: httpx.Client) -> None:
    official = openai.OpenAI(
        base_url=f"{client.base_url}/v1", api_key=make_key().plaintext, max_retries=0
    )

    with pytest.raises(openai.NotFoundError) as caught:
        official.models.retrieve("openai/gpt-999")

    assert caught.value.code == "invalid_model"
    assert caught.value.request_id
