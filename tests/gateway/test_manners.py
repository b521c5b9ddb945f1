"""Clients are met where they are: where they put their key, their slashes, their content type."""

import json
from typing import Any

import httpx
import pytest

from accounts import keys
from accounts.models import APIKey
from tests.gateway.site import Site
from tests.gateway.test_bad_input import CHAT, HELLO, check
from tests.gateway.wire import exchange, exchanges, request
from tests.people import make_key
from tests.upstream.rig import until

MODELS = "/v1/models"


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Bearer {}",
        "authorization: bearer {}",
        "AUTHORIZATION:BEARER   {}  ",
        "x-api-key: {}",
        "X-Api-Key: {}",
        "api-key: {}",
    ],
)
def test_a_key_may_come_in_any_of_its_headers(site: Site, header: str) -> None:
    good, unknown = make_key().plaintext, keys.generate()

    taken = exchange(site.port, [request(MODELS, header.format(good), method="GET")])
    refused = exchange(site.port, [request(MODELS, header.format(unknown), method="GET")])

    assert taken.statuses == [200]
    assert refused.statuses == [401]
    assert refused.error["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Authorization: Bearer {}", "Authorization: Bearer {}"),
        ("Authorization: Bearer {}", "x-api-key: {}"),
        ("Authorization: Bearer {}", "api-key: {}"),
        ("x-api-key: {}", "x-api-key: {}"),
        ("x-api-key: {}", "api-key: {}"),
        ("x-api-key: {}", "Authorization: Basic {}"),
    ],
)
def test_two_keys_are_one_too_many(site: Site, one: str, other: str) -> None:
    key = make_key().plaintext
    pairs = [(one.format(key), other.format(x)) for x in (key, make_key().plaintext, "x")]
    lines = [line for pair in pairs for line in (pair, pair[::-1])]

    sent = {" + ".join(line): request(MODELS, *line, method="GET") for line in lines}
    for name, done in exchanges(site.port, sent).items():
        assert done.statuses == [401], name
        assert done.error["code"] == "several_api_keys", name


@pytest.mark.parametrize(
    "carrier", ["Authorization: Basic {}", "Cookie: api_key={}", "x_api_key: {}"]
)
def test_nowhere_else_does_a_key_count(site: Site, carrier: str) -> None:
    key = make_key().plaintext

    done = exchange(site.port, [request(MODELS, carrier.format(key), method="GET")])

    assert done.statuses == [401]


@pytest.mark.parametrize("name", ["api_key", "key", "access_token", "x"])
def test_a_key_in_the_address_is_refused_and_should_be_revoked(
    client: httpx.Client, name: str
) -> None:
    key = make_key()
    shown = key.plaintext.replace("_", "%5F") if name == "x" else key.plaintext

    for headers in ({}, key.headers):
        answer = client.get(f"{MODELS}?{name}={shown}", headers=headers)

        said = check(answer, 401, "api_key_in_address")
        assert "revoke it" in said
        assert key.plaintext not in answer.text
    assert until(lambda: APIKey.objects.get(pk=key.api_key.pk).leaked_at, bool)


@pytest.mark.parametrize("root", ["", "/api"])
@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/embeddings", "/v1/embeddings"),
        ("/models", "/v1/models"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
    ],
)
def test_a_base_url_without_v1_or_with_two_gets_a_hint(
    client: httpx.Client, root: str, path: str, meant: str
) -> None:
    method = "GET" if path == "/models" else "POST"

    answer = client.request(method, root + path, headers=make_key().headers, json=HELLO)

    assert f"Did you mean {root}{meant}?" in check(answer, 404, "unknown_endpoint")


def test_a_page_of_the_same_name_stays_a_page(client: httpx.Client) -> None:
    answer = client.get("/usage", headers={"Authorization": "Basic YTpi"})

    assert answer.headers["location"].startswith("/login/")


def test_an_unknown_address_is_a_404_in_json(client: httpx.Client) -> None:
    for path in ["/v1", "/v1/", "/api/v1", "/api/", "/v1/nothing", "/api/nothing", "/v1//models"]:
        for method in ["GET", "POST", "DELETE", "PUT", "PATCH"]:
            check(client.request(method, path), 404, "unknown_endpoint")


def test_a_slash_at_the_end_changes_nothing(client: httpx.Client) -> None:
    headers = make_key().headers

    for root in ("", "/api"):
        answers = [
            client.post(f"{root}{CHAT}{end}", headers=headers, json=HELLO) for end in ("", "/")
        ]
        lists = [client.get(f"{root}{MODELS}{end}", headers=headers).content for end in ("", "/")]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert lists[0] == lists[1]


def test_a_wrong_method_is_a_405_in_json(client: httpx.Client) -> None:
    for method in ["GET", "PUT", "PATCH", "DELETE", "TRACE", "FOO"]:
        answer = client.request(method, CHAT)

        check(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "POST, OPTIONS"


def test_head_is_get_without_a_body(client: httpx.Client, site: Site) -> None:
    site.see_catalog()
    headers = make_key().headers

    head, get = client.head(MODELS, headers=headers), client.get(MODELS, headers=headers)
    stranger = client.head(MODELS)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert (stranger.status_code, stranger.content) == (401, b"")


def test_a_browser_may_ask_first_without_a_key(client: httpx.Client) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    asked = "authorization, content-type, x-stainless-lang"

    answer = client.options(CHAT, headers=headers | {"Access-Control-Request-Headers": asked})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == asked


TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-16",
    "application/json; charset=nonsense",
    "APPLICATION/JSON",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/xml",
    "",
    None,
]


def test_what_parses_as_json_is_json(client: httpx.Client) -> None:
    key, body = make_key(), json.dumps(HELLO).encode()

    for content_type in TYPES:
        named = {} if content_type is None else {"Content-Type": content_type}
        answer = client.post(CHAT, headers=key.headers | named, content=body)

        assert answer.status_code == 200, (content_type, answer.text)


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-32", "cp037", "utf-8-sig"])
def test_another_charset_than_utf_8_is_400(client: httpx.Client, charset: str) -> None:
    headers = make_key().headers | {"Content-Type": f"application/json; charset={charset}"}
    body: Any = HELLO | {"messages": [{"role": "user", "content": "Grüße +"}]}

    answer = client.post(
        CHAT, headers=headers, content=json.dumps(body, ensure_ascii=False).encode(charset)
    )

    check(answer, 400, "invalid_json")


@pytest.mark.parametrize("kind", ["form-data", "mixed", "related; boundary=x", "x"])
def test_multipart_is_415_whatever_is_in_it(client: httpx.Client, kind: str) -> None:
    headers = make_key().headers | {"Content-Type": f"multipart/{kind}"}

    answer = client.post(CHAT, headers=headers, content=json.dumps(HELLO).encode())

    check(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "header",
    [
        *("Accept: text/html", "Accept: application/xml;q=0.1", "Accept: nonsense", "Accept: "),
        *("OpenAI-Organization: org-1", "OpenAI-Project: proj_1", "OpenAI-Beta: assistants=v2"),
        *("x-stainless-retry-count: 2", "x-stainless-lang: js", "HTTP-Referer: https://a.example"),
        *("X-Title: Something", "Idempotency-Key: 1", "sec-fetch-mode: cors", "DNT: 1"),
    ],
)
def test_what_clients_say_besides_changes_nothing(client: httpx.Client, header: str) -> None:
    name, _, value = header.partition(": ")

    answer = client.post(CHAT, headers=make_key().headers | {name: value}, json=HELLO)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def test_trouble_of_the_500_class_is_json_too(client: httpx.Client) -> None:
    headers = make_key().headers

    broken = client.post(CHAT, headers=headers, json=HELLO | {"model": "keyplex/bad-json"})
    away = client.post(CHAT, headers=headers, json=HELLO | {"model": "keyplex/503"})

    check(broken, 500, "invalid_upstream_response")
    check(away, 503, away.json()["error"]["code"])
    assert away.headers["retry-after"]
