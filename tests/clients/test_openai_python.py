"""The official Python client notices nothing but a faster base URL."""

import openai
import pytest

from tests.gateway.site import Site
from tests.people import Issued, make_key

HELLO = [{"role": "user", "content": "Hello, world!"}]


def client_for(site: Site, key: str) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=f"{site.url}/api/v1", max_retries=0)


def ask(site: Site, key: Issued | str, **more: object) -> object:
    plaintext = key if isinstance(key, str) else key.plaintext
    with client_for(site, plaintext) as client:
        return client.chat.completions.create(model="keyplex/echo", messages=HELLO, **more)


def test_a_chat(site: Site) -> None:
    completion = ask(site, make_key())

    assert completion.choices[0].message.content == "Hello, world!"
    assert completion.usage.total_tokens == 8


def test_a_stream(site: Site) -> None:
    with client_for(site, make_key().plaintext) as client:
        chunks = list(
            client.chat.completions.create(model="keyplex/echo", messages=HELLO, stream=True)
        )

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello, world!"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_models(site: Site) -> None:
    site.see_catalog()
    with client_for(site, make_key().plaintext) as client:
        models = {model.id: model for model in client.models.list()}

    assert {"keyplex/echo", "gpt-5.2", "openai/gpt-4o-mini"} <= set(models)
    assert models["gpt-5.2"].context_window == 256_000
    assert models["gpt-5.2"].owned_by == "openai"


def test_a_wrong_key_is_an_authentication_error(site: Site) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        ask(site, "kpx_wrong")

    assert caught.value.code == "invalid_api_key"
    assert caught.value.request_id.startswith("req_")


def test_a_missing_scope_is_a_permission_error(site: Site) -> None:
    with pytest.raises(openai.PermissionDeniedError) as caught:
        ask(site, make_key(scopes=["models:read"]))

    assert "chat:write" in caught.value.message


def test_over_the_limit_is_a_rate_limit_error(site: Site) -> None:
    key = make_key(requests_per_minute=1)
    ask(site, key)

    with pytest.raises(openai.RateLimitError) as caught:
        ask(site, key)

    assert int(caught.value.response.headers["retry-after"]) >= 1


def test_an_unknown_model_is_not_found_and_a_bad_value_a_bad_request(site: Site) -> None:
    with client_for(site, make_key().plaintext) as client:
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="gpt-999", messages=HELLO)
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="keyplex/echo", messages=HELLO, temperature=3)

    assert caught.value.param == "temperature"


def test_a_stream_that_breaks_raises(site: Site) -> None:
    with client_for(site, make_key().plaintext) as client:
        stream = client.chat.completions.create(
            model="keyplex/midstream-error", messages=HELLO, stream=True
        )

        with pytest.raises(openai.APIError):
            list(stream)
