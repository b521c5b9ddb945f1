"""Whatever words a provider has for its tokens, they come out as one count."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Raw, structs

from gateway import token_usage
from gateway.token_usage import MOST, Usage
from tests.gateway.conftest import Recorded
from tests.gateway.scripted import Scripted
from tests.people import make_key

GOLDEN = json.loads((Path(__file__).parent / "golden" / "usage.json").read_text())
ABSURD = [
    None,
    {"prompt_tokens": -1, "completion_tokens": 1},
    {"prompt_tokens": 10**12, "completion_tokens": 1},
    {"prompt_tokens": 1, "completion_tokens": 10**30},
    {"prompt_tokens": 5.5, "completion_tokens": 1},
    {"prompt_tokens": 5, "completion_tokens": 0},
    "many",
]


@pytest.mark.parametrize("dialect", GOLDEN)
def test_each_dialect_is_understood(dialect: str) -> None:
    said, expected = GOLDEN[dialect]

    usage = token_usage.read(Raw(json.dumps(said).encode()))

    found = (
        {name: count for name, count in structs.asdict(usage).items() if count} if usage else None
    )
    assert found == (expected and {name: count for name, count in expected.items() if count})


def test_what_cannot_be_is_not_believed() -> None:
    assert Usage(100, 100).believable(100)
    assert not Usage(101, 1).believable(100)
    assert not Usage(1, MOST + 1).believable(None)


@pytest.mark.parametrize("said", ABSURD)
@pytest.mark.parametrize("stream", [False, True])
def test_missing_and_absurd_counts_are_estimated_and_flagged(
    client: httpx.Client, provider: Scripted, recorded: Recorded, said: Any, stream: bool
) -> None:
    choice = {"message": {"content": "12345678"}, "finish_reason": "stop"}
    provider.says({"choices": [choice], "usage": said})

    answer = client.post(
        "/v1/chat/completions",
        headers=make_key().headers,
        json={
            "model": provider.serves(),
            "messages": [{"role": "user", "content": "four" * 3}],
            "stream": stream,
        },
    )

    assert answer.status_code == 200
    row = recorded(answer.headers["x-request-id"])
    assert (row.prompt_tokens, row.completion_tokens, row.usage_source) == (7, 2, "estimated")


def test_the_providers_words_are_kept_with_the_row(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    said, _ = GOLDEN["deepseek"]
    provider.says({"choices": [{"message": {"content": "Hi"}}], "usage": said})

    answer = client.post(
        "/v1/chat/completions",
        headers=make_key().headers,
        json={"model": provider.serves(), "messages": [{"role": "user", "content": "Hi"}]},
    )

    assert answer.json()["usage"] == said
    usage = recorded(answer.headers["x-request-id"]).decision["usage"]
    assert usage["said"] == said
    assert (usage["cached"], usage["reasoning"]) == (40, 90)
