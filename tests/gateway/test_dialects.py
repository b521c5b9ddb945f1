"""Each provider is spoken to in its own words, and the client learns what was left out."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.gateway.scripted import UPSTREAM, Scripted
from tests.gateway.test_bad_input import check
from tests.people import make_key
from usage.models import RequestLog

ANSWER = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
USER = {"role": "user", "content": "Hello"}


def ask(client: httpx.Client, model: str, **fields: Any) -> httpx.Response:
    return client.post(
        "/v1/chat/completions",
        headers=make_key().headers,
        json={"model": model, "messages": [USER]} | fields,
    )


def test_all_that_is_unknown_passes_byte_for_byte(client: httpx.Client, provider: Scripted) -> None:
    provider.says(ANSWER)
    model = provider.serves()
    body = (
        '{"seed": 9007199254740993, "model": "' + model + '", "top_k": 1.0,'
        ' "metadata":{"b":1e2,"a": null},'
        ' "messages": [{"content":"\\u0041", "role":"user","reasoning_content":"x"}]}'
    )

    client.post("/v1/chat/completions", headers=make_key().headers, content=body)

    sent = provider.bodies[0]
    assert provider.heard[0]["model"] == UPSTREAM
    for part in (
        b'"seed":9007199254740993',
        b'"top_k":1.0',
        b'{"b":1e2,"a": null}',
        b'[{"content":"\\u0041", "role":"user","reasoning_content":"x"}]',
    ):
        assert part in sent


def test_a_field_is_renamed_and_sent_once(client: httpx.Client, provider: Scripted) -> None:
    provider.says(ANSWER)
    model = provider.serves(rules=[{"rename": {"max_tokens": "max_completion_tokens"}}])

    ask(client, model, max_tokens=5)
    ask(client, model, max_tokens=5, max_completion_tokens=7)

    assert [request.get("max_completion_tokens") for request in provider.heard] == [5, 7]
    assert not [request for request in provider.heard if "max_tokens" in request]


def test_what_a_provider_does_not_take_is_left_out_and_recorded(
    client: httpx.Client, provider: Scripted, recorded: Callable[[str], RequestLog]
) -> None:
    provider.says(ANSWER)
    dropping = provider.serves(rules=[{"drop": ["store", "user"]}])
    choosy = provider.serves(rules=[{"only": ["model", "messages", "temperature"]}])

    dropped = ask(client, dropping, store=True, user=None, seed=1)
    kept = ask(client, choosy, store=True, temperature=0.5)

    assert "store" not in provider.heard[0]
    assert "seed" in provider.heard[0]
    assert set(provider.heard[1]) == {"model", "messages", "temperature"}
    assert recorded(dropped.headers["x-request-id"]).decision["left_out"] == ["store"]
    assert dropped.headers["x-keyplex-left-out"] == "store"
    assert kept.headers["x-keyplex-left-out"] == "store"


def test_a_rule_holds_for_the_models_that_it_names(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.says(ANSWER)
    model = provider.serves(
        rules=[
            {"models": "other-*", "drop": ["seed"]},
            {"models": UPSTREAM[:4] + "*", "drop": ["store"]},
        ]
    )

    ask(client, model, seed=1, store=True)

    assert "seed" in provider.heard[0]
    assert "store" not in provider.heard[0]


def test_what_a_model_cannot_do_is_refused_unless_it_asks_for_nothing(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.says(ANSWER)
    model = provider.serves(rules=[{"refuse": ["n"]}])

    refused, harmless = ask(client, model, n=2), ask(client, model, n=1)

    check(refused, 400, "unsupported_parameter", "n")
    assert harmless.status_code == 200
    assert len(provider.heard) == 1


def test_roles_and_ids_of_tool_calls_are_put_in_the_words_of_the_provider(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.says(ANSWER)
    model = provider.serves(rules=[{"roles": {"developer": "system"}, "tool_call_ids": 9}])
    call = {"id": "call_1234567890", "type": "function", "extra_content": {"a": 1.0}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "tool_calls": [call, {"id": "abcdefgh9"}]},
        {"role": "tool", "tool_call_id": "call_1234567890", "content": "42"},
    ]

    ask(client, model, messages=messages)

    system, assistant, tool = provider.heard[0]["messages"]
    first, second = assistant["tool_calls"]
    assert system["role"] == "system"
    assert len(first["id"]) == 9
    assert first["id"].isalnum()
    assert first["id"] == tool["tool_call_id"]
    assert first["extra_content"] == {"a": 1.0}
    assert second["id"] == "abcdefgh9"


def test_the_models_own_parameters_stand_in_where_the_caller_set_none(
    client: httpx.Client, provider: Scripted
) -> None:
    provider.says(ANSWER)
    model = provider.serves(parameters={"temperature": 0.7})

    ask(client, model)
    ask(client, model, temperature=None)
    ask(client, model, temperature=0)

    assert [request["temperature"] for request in provider.heard] == [0.7, 0.7, 0]


def test_stream_options_go_only_with_a_stream(client: httpx.Client, provider: Scripted) -> None:
    provider.says(ANSWER)

    answer = ask(client, provider.serves(), stream_options={"include_usage": True})

    assert answer.status_code == 200
    assert "stream_options" not in provider.heard[0]
