"""A real model server behind the gateway: llama.cpp, with a tiny model of random weights."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.models import Provider
from tests.clients.places import needs, python_of
from tests.gateway.conftest import Recorded
from tests.gateway.scripted import Way, make_model
from tests.gateway.site import Site
from tests.people import make_key

pytestmark = [pytest.mark.clients, needs("llama")]
PROGRAM = Path(__file__).parent / "programs" / "model_server.py"
HELLO = [{"role": "user", "content": "Hello"}]
TO_CALL, TO_END = "271", "2"  # tokens
WEATHER = {
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"enum": ["Paris", "Rome"]}},
        "required": ["city"],
    },
}
CALLS = {
    "tools": [{"type": "function", "function": WEATHER}],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "logit_bias": {TO_CALL: 50, TO_END: 100},  # where the server's grammar lets it
}
RAINS = {
    "type": "object",
    "properties": {"rains": {"type": "boolean"}},
    "required": ["rains"],
}
LONG = "x" * 3000  # a token each


@pytest.fixture(scope="module")
def addresses() -> Iterator[list[str]]:
    """Where the server generates, and where it embeds."""
    server = subprocess.Popen(
        [python_of("llama"), PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout
    yield server.stdout.readline().split()
    server.communicate(timeout=30)
    assert server.returncode == 0


@pytest.fixture
def models(site: Site, addresses: list[str]) -> dict[str, str]:
    """A model of each kind that is served there; without a window that we would check."""
    kinds = {"chat": addresses[0], "completion": addresses[0], "embedding": addresses[1]}
    rows = {
        kind: Provider.objects.create(slug=kind, name="llama.cpp", base_url=f"{address}/v1")
        for kind, address in kinds.items()
    }
    return {kind: make_model(Way(row), kind=kind) for kind, row in rows.items()}


@pytest.fixture
def client(site: Site, models: dict[str, str]) -> Iterator[openai.OpenAI]:
    key = make_key().plaintext
    with openai.OpenAI(api_key=key, base_url=f"{site.url}/v1", max_retries=0) as client:
        yield client


class Asking:
    """The chat model, asked by the official client."""

    def __init__(self, client: openai.OpenAI, model: str) -> None:
        self._create = client.chat.completions.create
        self._model = model

    def whole(self, **fields: Any) -> ChatCompletion:
        fields = {"messages": HELLO, "max_tokens": 400} | fields
        completion: ChatCompletion = self._create(model=self._model, **fields)
        return completion

    def stream(self, **fields: Any) -> list[ChatCompletionChunk]:
        options = {"include_usage": True}
        return list(self.whole(stream=True, stream_options=options, **fields))  # type: ignore[arg-type]


@pytest.fixture
def chat(client: openai.OpenAI, models: dict[str, str]) -> Asking:
    return Asking(client, models["chat"])


def test_a_chat_is_counted_as_the_server_counts(chat: Asking, recorded: Recorded) -> None:
    completion = chat.whole(max_tokens=12)

    row = recorded(completion._request_id or "")
    assert completion.choices[0].message.content
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage
    assert completion.usage.completion_tokens == row.completion_tokens == 12
    assert completion.usage.prompt_tokens == row.prompt_tokens > 0


def test_a_stream_is_counted_as_the_server_counts(chat: Asking) -> None:
    whole = chat.whole(max_tokens=12)
    *chunks, last = chat.stream(max_tokens=12)

    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert len(said.split()) == 12
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "length"
    assert last.choices == []
    assert last.usage
    assert whole.usage
    assert last.usage.completion_tokens == 12
    assert last.usage.prompt_tokens == whole.usage.prompt_tokens


def test_a_tool_is_called(chat: Asking) -> None:
    [choice] = chat.whole(**CALLS).choices

    [call] = choice.message.tool_calls or []
    assert choice.finish_reason == "tool_calls"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments)["city"] in ("Paris", "Rome")


def test_a_tool_is_called_piece_by_piece(chat: Asking) -> None:
    *chunks, _ = chat.stream(**CALLS)

    pieces = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    arguments = "".join(piece.function.arguments or "" for piece in pieces)
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert {piece.index for piece in pieces} == {0}
    assert [piece.function.name for piece in pieces if piece.id] == ["get_weather"]
    assert len(pieces) > 5
    assert json.loads(arguments)["city"] in ("Paris", "Rome")


def test_what_a_tool_said_is_read(chat: Asking) -> None:
    [call] = chat.whole(**CALLS).choices[0].message.tool_calls or []
    asked = {"role": "assistant", "tool_calls": [call.model_dump()]}
    answered = {"role": "tool", "tool_call_id": call.id, "content": "21"}

    completion = chat.whole(messages=[*HELLO, asked, answered], max_tokens=4)

    assert completion.choices[0].message.content


def test_a_schema_is_kept(chat: Asking) -> None:
    schema = {"name": "weather", "strict": True, "schema": RAINS}

    completion = chat.whole(response_format={"type": "json_schema", "json_schema": schema})

    document = json.loads(completion.choices[0].message.content or "")
    assert isinstance(document["rains"], bool)


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_too_long_a_prompt_is_refused_in_words_that_clients_know(chat: Asking, way: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        getattr(chat, way)(messages=[{"role": "user", "content": LONG}])

    assert caught.value.type == "context_length_error"
    assert "This model's maximum context length is 1024 tokens" in caught.value.message


def test_a_completion(client: openai.OpenAI, models: dict[str, str]) -> None:
    completion = client.completions.create(model=models["completion"], prompt="He", max_tokens=4)

    assert len(completion.choices[0].text.split()) == 4
    assert completion.usage
    assert completion.usage.completion_tokens == 4


def test_embeddings_are_the_same_in_either_format(
    client: openai.OpenAI, models: dict[str, str]
) -> None:
    ask = {"model": models["embedding"], "input": ["rain", "sun"]}
    usual = client.embeddings.create(**ask)  # in base64, unseen
    numbers = client.embeddings.create(**ask, encoding_format="float")

    vectors = [vector.embedding for vector in usual.data]
    assert [len(vector) for vector in vectors] == [32, 32]
    assert vectors[0] != vectors[1]
    assert vectors == [pytest.approx(vector.embedding, abs=1e-5) for vector in numbers.data]


def test_embeddings_of_token_ids(client: openai.OpenAI, models: dict[str, str]) -> None:
    made = client.embeddings.create(model=models["embedding"], input=[[5, 6, 7], [8]])

    assert [len(vector.embedding) for vector in made.data] == [32, 32]
    assert made.usage.prompt_tokens == 4
