"""What the providers of our catalogues hear of a request that says everything."""

from typing import Any

import msgspec
import pytest

from dashboard.instance import ROOT
from gateway.catalog import rules_for
from gateway.catalog_file import ProviderEntry, read
from gateway.dialects import spoken
from gateway.errors import InvalidRequest
from gateway.raw_json import decode_fields, encode

FILES = [read(path) for path in sorted((ROOT / "catalog").glob("*.toml"))]
PROVIDERS = {provider.slug: provider for file in FILES for provider in file.providers}
ALL = {
    "model": "m",
    "messages": [{"role": "developer", "content": "Be brief."}],
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_tokens": 5,
    "temperature": 0.7,
    "top_p": 0.9,
    "presence_penalty": 1,
    "frequency_penalty": 1,
    "logit_bias": {},
    "logprobs": True,
    "top_logprobs": 2,
    "seed": 7,
    "stop": ["x"],
    "user": "u",
    "store": False,
    "metadata": {},
    "reasoning_effort": "low",
    "tools": [],
}
PENALTIES = {"presence_penalty", "frequency_penalty"}
LOGPROBS = {"logprobs", "top_logprobs"}


def heard(slug: str, model: str, fields: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """What a provider is sent for this, and what the client is told was left out."""
    request = decode_fields(encode(fields))
    left_out = spoken(request, rules_for(PROVIDERS[slug].rules, model), {})
    return msgspec.json.decode(encode(request)), set(left_out)


@pytest.mark.parametrize(
    ("slug", "model", "left_out", "renamed", "role"),
    [
        ("openrouter", "openai/gpt-5.2", set(), {}, "developer"),
        ("openai", "gpt-4o", set(), {}, "developer"),
        ("openai", "gpt-5.2", set(), {"max_tokens": "max_completion_tokens"}, "developer"),
        (
            *("openai", "o3-mini"),
            PENALTIES | LOGPROBS | {"temperature", "top_p", "logit_bias"},
            {"max_tokens": "max_completion_tokens"},
            "developer",
        ),
        (
            *("anthropic", "claude-opus-4-5"),
            PENALTIES
            | LOGPROBS
            | {"logit_bias", "seed", "user", "store", "metadata", "reasoning_effort"},
            {},
            "developer",
        ),
        (
            *("google", "gemini-3-pro-preview"),
            PENALTIES | {"logit_bias", "seed", "user", "store", "metadata"},
            {},
            "system",
        ),
        ("xai", "grok-4", PENALTIES | {"reasoning_effort"}, {}, "system"),
        (
            *("mistral", "mistral-large-latest"),
            LOGPROBS | {"logit_bias", "user", "store", "metadata", "reasoning_effort"},
            {"seed": "random_seed"},
            "system",
        ),
        ("deepseek", "deepseek-chat", set(), {}, "system"),
        ("deepseek", "deepseek-reasoner", LOGPROBS, {}, "system"),
        ("ark", "doubao-pro-32k-241215", set(), {}, "system"),
        ("dashscope", "qwen-max", set(), {}, "system"),
    ],
)
def test_a_provider_hears_what_it_takes_and_the_client_what_it_does_not(
    slug: str, model: str, left_out: set[str], renamed: dict[str, str], role: str
) -> None:
    sent, said = heard(slug, model, ALL)

    expected = {renamed.get(name, name) for name in ALL} - left_out
    assert said == left_out
    assert set(sent) | {"stream_options"} == expected
    assert sent["messages"][0]["role"] == role


@pytest.mark.parametrize("slug", ["mistral", "deepseek", "ark", "dashscope"])
def test_the_newer_name_of_a_limit_becomes_the_older_one(slug: str) -> None:
    sent, said = heard(slug, "m", {"model": "m", "max_completion_tokens": 5})

    assert sent["max_tokens"] == 5
    assert "max_completion_tokens" not in sent
    assert said == set()


def test_mistral_is_not_asked_for_usage_which_it_tells_anyhow() -> None:
    sent, said = heard("mistral", "m", ALL)

    assert "stream_options" not in sent
    assert "stream_options" not in said


@pytest.mark.parametrize("field", [{"n": 2}, {"response_format": {"type": "json_object"}}])
def test_what_anthropic_would_ignore_at_the_clients_cost_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(field))):
        heard("anthropic", "claude-opus-4-5", ALL | field)


def test_voyage_is_asked_in_its_own_words_and_answers_in_numbers() -> None:
    asked = {"model": "voyage-3", "input": "Hi", "dimensions": 512, "encoding_format": "base64"}

    sent, said = heard("voyage", "voyage-3", asked | {"user": "u"})

    assert sent == {"model": "voyage-3", "input": "Hi", "output_dimension": 512}
    assert said == {"user"}


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.slug)
def test_only_this_server_needs_no_credential_and_others_are_reached_safely(
    provider: ProviderEntry,
) -> None:
    if provider.base_url.startswith("/"):
        assert provider.credential_env == ""
    else:
        assert provider.base_url.startswith("https://")
        assert provider.credential_env.endswith("_API_KEY")
