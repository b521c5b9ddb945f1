"""What a key can ask about: models by any name, itself, its limits; never about others."""

import httpx
import pytest

from tests.gateway.site import Site
from tests.gateway.test_bad_input import HELLO, check
from tests.people import make_key


@pytest.mark.parametrize("name", ["openai/gpt-4o-mini", "openai%2Fgpt-4o-mini", "keyplex/echo/"])
def test_one_model_is_found_by_its_name_however_the_slash_is_written(
    client: httpx.Client, site: Site, name: str
) -> None:
    site.see_catalog()
    key = make_key()
    wanted = name.replace("%2F", "/").rstrip("/")

    model = client.get(f"/v1/models/{name}", headers=key.headers).json()

    listing = client.get("/v1/models", headers=key.headers).json()["data"]
    assert model == next(entry for entry in listing if entry["id"] == wanted)


def test_a_model_that_does_not_exist_is_404_as_everywhere(client: httpx.Client) -> None:
    answer = client.get("/v1/models/gpt-999", headers=make_key().headers)

    assert "'gpt-999'" in check(answer, 404, "invalid_model", "model")


def test_a_key_tells_who_it_is_and_nothing_of_others(client: httpx.Client) -> None:
    key = make_key(scopes=["chat:write"])
    colleague, stranger = make_key(key.account), make_key()

    facts = client.get("/v1/key", headers=key.headers).json()

    assert (facts["object"], facts["hint"]) == ("key", key.api_key.hint)
    assert facts["scopes"] == ["chat:write"]
    assert facts["account"]["id"] == key.account.pk
    assert (facts["plan"]["id"], facts["plan"]["status"]) == ("monthly", "active")
    for other in (colleague, stranger):
        theirs = client.get("/v1/key", headers=other.headers).json()
        assert theirs["hint"] == other.api_key.hint
        assert theirs["account"]["id"] == other.account.pk


def test_the_limits_are_those_of_the_headers_and_asking_uses_nothing(client: httpx.Client) -> None:
    key = make_key(requests_per_minute=5, tokens_per_day=10_000)
    client.post("/v1/chat/completions", headers=key.headers, json=HELLO | {"max_tokens": 3})

    answers = [client.get("/v1/limits", headers=key.headers) for _ in range(3)]

    minute, day = answers[-1].json()["data"]
    assert (minute["unit"], minute["window"], minute["used"]) == ("requests", "minute", 1)
    assert (day["unit"], day["window"], day["limit"]) == ("tokens", "day", 10_000)
    shown = answers[-1].headers
    assert minute["remaining"] == int(shown["x-ratelimit-remaining-requests"]) == 4
    assert day["remaining"] == int(shown["x-ratelimit-remaining-tokens-day"])
    colleague, stranger = make_key(key.account), make_key(requests_per_minute=5)
    assert client.get("/v1/limits", headers=colleague.headers).json()["data"][0]["used"] == 1
    assert client.get("/v1/limits", headers=stranger.headers).json()["data"][0]["used"] == 0


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/keyplex/echo", "/v1/key", "/v1/limits"])
def test_head_is_get_without_the_body(client: httpx.Client, site: Site, path: str) -> None:
    site.see_catalog()
    key = make_key()

    head = client.head(path, headers=key.headers)

    whole = client.get(path, headers=key.headers)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


def test_a_page_in_a_browser_may_ask_first_and_read_the_headers(client: httpx.Client) -> None:
    key, page = make_key(), {"Origin": "https://app.example"}
    asked = {"Access-Control-Request-Method": "POST"}
    wanted = {"Access-Control-Request-Headers": "authorization,x-stainless-os"}

    before = client.options("/v1/chat/completions", headers=page | asked | wanted)
    after = client.post("/v1/chat/completions", headers=page | key.headers, json=HELLO)
    refused = client.post("/v1/chat/completions", headers=page, json=HELLO)

    assert before.status_code == 204
    assert before.headers["access-control-allow-headers"] == "authorization,x-stainless-os"
    assert "POST" in before.headers["access-control-allow-methods"]
    for answer in (before, after, refused):
        assert answer.headers["access-control-allow-origin"] == "*"
    assert after.headers["access-control-expose-headers"] == "*"
    assert "access-control-allow-origin" not in client.options("/v1/key").headers


def test_a_wrong_method_is_told_the_right_ones(client: httpx.Client) -> None:
    key = make_key()

    check(answer := client.post("/v1/key", headers=key.headers), 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    answer = client.head("/v1/chat/completions", headers=key.headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
