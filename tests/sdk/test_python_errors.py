"""What the Python SDK raises: the errors of the OpenAI client, which know what Keyplex knows."""

import runpy
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest

import keyplex
from accounts.audit import SYSTEM
from billing.models import limit_key
from keyplex import AsyncKeyplex, Keyplex
from tests.clients.conftest import route_to
from tests.gateway.site import Site
from tests.people import Issued, make_key
from tests.provider import Provider
from tests.sdk.conftest import Person

HELLO = [{"role": "user", "content": "Hello, world!"}]
LONG = [{"role": "user", "content": "word " * 40_000}]
BACKOFF = Path(__file__).parent / "snippets" / "backoff.py"


def client_for(site: Site, key: str, **options: Any) -> Keyplex:
    return Keyplex(base_url=f"{site.url}/v1", api_key=key, **{"max_retries": 0, **options})


def chat(client: Keyplex, model: str = "keyplex/echo", **more: Any) -> Any:
    return client.chat.completions.create(**{"model": model, "messages": HELLO, **more})


@pytest.fixture
def hasty() -> Issued:
    """One request a minute, by a limit of the key's own."""
    return make_key(own={"requests_per_minute": 1})


def test_over_the_limit_it_says_when_to_come_again_and_what_is_left(
    site: Site, hasty: Issued
) -> None:
    with client_for(site, hasty.plaintext) as client:
        chat(client)
        with pytest.raises(keyplex.RateLimitError) as caught:
            chat(client)

    error, limits = caught.value, caught.value.rate_limits
    assert isinstance(error, openai.RateLimitError)
    assert isinstance(error, keyplex.APIStatusError)
    assert (error.type, error.code) == ("rate_limit_error", "rate_limit_exceeded")
    assert error.request_id == error.body["request_id"]  # type: ignore[index]
    assert 1 <= (error.retry_after or 0) <= 61
    assert error.rate_limit_scope == "key"
    assert (limits["requests"].limit, limits["requests"].remaining) == (1, 0)
    assert limits["requests"].reset
    assert limits["requests"].reset.timestamp() > time.time() - 61
    assert limits["tokens"].limit == 10**9


def test_an_answer_tells_the_limits_too(owner: Person) -> None:
    raw = owner.client.chat.completions.with_raw_response.create(
        model="keyplex/echo", messages=HELLO
    )

    limits = keyplex.rate_limits(raw.headers)
    assert limits["requests"].remaining == limits["requests"].limit - 1
    assert set(limits) == {"requests", "tokens", "tokens-day"}


def test_headers_of_others_are_passed_over() -> None:
    told = {
        "X-RateLimit-Limit-Requests": "60",
        "X-RateLimit-Remaining-Requests": "59",
        "X-RateLimit-Reset-Requests": "9" * 18,
        "X-RateLimit-Limit-Tokens": "many",
        "X-RateLimit-Remaining-Tokens": "1",
        "X-RateLimit-Limit-Images": "5",
    }

    assert keyplex.rate_limits(told) == {"requests": keyplex.RateLimit(60, 59, None)}


@pytest.mark.parametrize(
    ("error", "more", "kind", "param"),
    [
        (keyplex.BadRequestError, {"temperature": 3}, "invalid_request_error", "temperature"),
        (keyplex.NotFoundError, {"model": "gpt-999"}, "invalid_request_error", "model"),
        (keyplex.ContextLengthError, {"messages": LONG}, "context_length_error", "messages"),
        (keyplex.ModelError, {"model": "keyplex/503"}, "model_error", None),
        (keyplex.RateLimitError, {"model": "keyplex/429"}, "rate_limit_error", None),
    ],
)
def test_a_refusal_is_an_error_of_its_kind(
    owner: Person, error: type[keyplex.APIStatusError], more: dict[str, Any], kind: str, param: str
) -> None:
    with pytest.raises(error) as caught:
        chat(owner.client, **more)

    assert caught.value.type == kind
    assert caught.value.code
    assert (caught.value.request_id or "").startswith("req_")
    assert param in (None, caught.value.param)


def test_a_wrong_key_and_a_missing_permission(site: Site, colleague: Person) -> None:
    with pytest.raises(keyplex.AuthenticationError) as caught, client_for(site, "kpx_no") as client:
        chat(client)
    with pytest.raises(keyplex.PermissionDeniedError, match="embeddings:write"):
        colleague.client.embeddings.create(model="keyplex/embedding", input="a")

    assert caught.value.code == "invalid_api_key"
    assert caught.value.retry_after is None


def test_a_stream_that_breaks_raises(owner: Person) -> None:
    stream = chat(owner.client, "keyplex/midstream-error", stream=True)

    with pytest.raises(keyplex.APIError):
        list(stream)


@pytest.mark.anyio
async def test_an_awaited_refusal_is_of_the_same_kind(site: Site, hasty: Issued) -> None:
    base_url = f"{site.url}/v1"
    async with AsyncKeyplex(base_url=base_url, api_key=hasty.plaintext, max_retries=0) as client:
        ask = client.chat.completions.create
        await ask(model="keyplex/echo", messages=HELLO)
        with pytest.raises(keyplex.RateLimitError) as caught:
            await ask(model="keyplex/echo", messages=HELLO)

    assert caught.value.rate_limits["requests"].remaining == 0


@pytest.fixture
def gpt(site: Site) -> Iterator[None]:
    """The model of the seed's sample, within reach."""
    with Provider(tokens=5, pace=0.001) as provider:
        route_to(provider, "gpt-5.2")
        site.see_catalog()
        yield


def test_the_backoff_sample_of_the_seed_waits_until_it_is_let_in(
    site: Site, gpt: None, hasty: Issued
) -> None:
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            limit_key(hasty.api_key, {}, by=SYSTEM)

    sample = runpy.run_path(str(BACKOFF))["make_request_with_retry"]
    sample.__globals__["time"] = SimpleNamespace(sleep=sleep)
    with client_for(site, hasty.plaintext) as client:
        sample(client, HELLO)
        answer = sample(client, HELLO)

    assert answer.choices[0].message.content == "four" * 5
    assert [int(seconds) for seconds in waited] == [1, 2]


def test_the_backoff_sample_of_the_seed_gives_up(site: Site, gpt: None, hasty: Issued) -> None:
    sample = runpy.run_path(str(BACKOFF))["make_request_with_retry"]
    with client_for(site, hasty.plaintext) as client:
        sample(client, HELLO)
        with pytest.raises(keyplex.RateLimitError):
            sample(client, HELLO, max_retries=1)
