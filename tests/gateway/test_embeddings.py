"""Embeddings come in the format that was asked for, are charged by their prompt, and checked."""

import base64
import struct
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from tests.gateway.test_bad_input import check
from tests.people import make_key
from usage.models import RequestLog

URL = "/v1/embeddings"
MODEL = "keyplex/embedding"


def ask(client: httpx.Client, headers: dict[str, str], **fields: Any) -> dict[str, Any]:
    answer = client.post(URL, headers=headers, json={"model": MODEL} | fields)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_vectors_are_numbers_by_default_and_the_row_charges_the_prompt(
    client: httpx.Client, recorded: Callable[[str], RequestLog]
) -> None:
    key = make_key(scopes=["embeddings:write"])

    answer = client.post(URL, headers=key.headers, json={"model": MODEL, "input": "Hello, world"})

    document = answer.json()
    assert (document["object"], document["model"]) == ("list", MODEL)
    assert len(document["data"][0]["embedding"]) == 256
    assert document["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    row = recorded(answer.headers["x-request-id"])
    assert (row.endpoint, row.model, row.outcome) == ("embeddings", MODEL, "ok")
    assert (row.prompt_tokens, row.completion_tokens) == (3, 0)


def test_base64_holds_the_same_numbers_where_the_provider_knows_numbers_only(
    client: httpx.Client,
) -> None:
    headers = make_key().headers

    [numbers] = ask(client, headers, input="Hello", encoding_format="float")["data"]
    [packed] = ask(client, headers, input="Hello", encoding_format="base64")["data"]

    unpacked = struct.unpack("<256f", base64.b64decode(packed["embedding"]))
    assert unpacked == pytest.approx(numbers["embedding"], abs=1e-6)


@pytest.mark.parametrize(
    ("given", "count", "tokens"),
    [
        (["one", "two", "three"], 3, 4),
        ([1, 2, 3, 4], 1, 4),
        ([[1, 2], [3]], 2, 3),
        ("é" * 4, 1, 2),
    ],
)
def test_texts_and_token_ids_alone_or_in_lists(
    client: httpx.Client, given: Any, count: int, tokens: int
) -> None:
    document = ask(client, make_key().headers, input=given, dimensions=8)

    assert [entry["index"] for entry in document["data"]] == list(range(count))
    assert {len(entry["embedding"]) for entry in document["data"]} == {8}
    assert document["usage"]["prompt_tokens"] == tokens


def test_the_official_client_gets_numbers(client: httpx.Client) -> None:
    base_url = str(client.base_url.join("/v1"))
    sdk = openai.OpenAI(base_url=base_url, api_key=make_key().plaintext)

    embedding = sdk.embeddings.create(model=MODEL, input=["Hello", "world"]).data[1].embedding

    assert len(embedding) == 256
    assert sum(number * number for number in embedding) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "given", ["", [], [""], [1, "a"], [[]], [1.5], None, {}, [True], [["a"]], 7]
)
def test_a_wrong_input_is_named(client: httpx.Client, given: Any) -> None:
    answer = client.post(URL, headers=make_key().headers, json={"model": MODEL, "input": given})

    check(answer, 400, "invalid_value", "input")


def test_too_many_or_too_long_inputs_are_refused_before_they_cost(client: httpx.Client) -> None:
    key = make_key()

    many = client.post(URL, headers=key.headers, json={"model": MODEL, "input": ["a"] * 2049})
    long = client.post(URL, headers=key.headers, json={"model": MODEL, "input": "a" * 40_000})

    assert "2,049" in check(many, 400, "invalid_value", "input")
    assert "maximum context length is 8191 tokens" in check(
        long, 400, "context_length_exceeded", "input"
    )
    assert client.get("/v1/limits", headers=key.headers).json()["data"][0]["used"] == 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "8"}, "dimensions"),
    ],
)
def test_a_wrong_field_is_named(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    body = {"model": MODEL, "input": "Hi"} | fields

    check(client.post(URL, headers=make_key().headers, json=body), 400, "invalid_value", param)


def test_a_model_for_another_purpose_says_so(client: httpx.Client) -> None:
    headers = make_key().headers
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}

    refused = client.post(URL, headers=headers, json={"model": "keyplex/echo", "input": "Hi"})
    also = client.post("/v1/chat/completions", headers=headers, json=chat)

    assert "for chat" in check(refused, 400, "wrong_kind_of_model", "model")
    assert "for embedding" in check(also, 400, "wrong_kind_of_model", "model")


def test_it_needs_its_scope(client: httpx.Client) -> None:
    writer = make_key(scopes=["chat:write"])

    answer = client.post(URL, headers=writer.headers, json={"model": MODEL, "input": "Hi"})

    check(answer, 403, "insufficient_scope")
