"""A bad request gets the envelope, the right status and the field; it costs nothing."""

import json
import socket
from typing import Any

import httpx
import pytest

from accounts import keys
from accounts.audit import SYSTEM
from accounts.models import Account
from gateway.call import MAX_BODY
from tests.gateway.site import Site
from tests.people import make_key

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "Hi"}]
HELLO: dict[str, Any] = {"model": "keyplex/echo", "messages": MESSAGES}


def check(answer: httpx.Response, status: int, code: str, param: str | None = None) -> str:
    """The envelope is complete and says what it should; its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"type", "code", "message", "param", "request_id"}
    assert (error["code"], error["param"]) == (code, param), error
    assert error["request_id"] == answer.headers["x-request-id"]
    message: str = error["message"]
    return message


@pytest.mark.parametrize(
    ("header", "code", "words"),
    [
        (None, "missing_api_key", "No API key"),
        ("Basic abc", "invalid_api_key", "Bearer"),
        ("Bearer sk-abcdef", "invalid_api_key", "begin with kpx_"),
        ("Bearer kpx_" + "a" * 47, "invalid_api_key", "looks truncated: 47 characters"),
        ("Bearer kpx_" + "a" * 49, "invalid_api_key", "too long"),
        ("Bearer kpx_" + "a" * 48, "invalid_api_key", "mistyped"),
        ("Bearer kpx_" + "é" * 48, "invalid_api_key", "letters and digits"),
    ],
)
def test_a_key_that_cannot_be_one_is_told_why(
    client: httpx.Client, header: str | None, code: str, words: str
) -> None:
    headers = {"Authorization": header.encode("latin-1")} if header else {}

    answer = client.post(CHAT, headers=headers, json=HELLO)

    assert words in check(answer, 401, code)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["type"] == "authentication_error"


def test_an_unknown_key_is_401(client: httpx.Client) -> None:
    unknown = {"Authorization": f"Bearer {keys.generate()}"}

    check(client.post(CHAT, headers=unknown, json=HELLO), 401, "invalid_api_key")


def test_a_revoked_key_is_refused_by_every_worker_at_once(client: httpx.Client) -> None:
    key = make_key()
    for _ in range(8):
        assert client.post(CHAT, headers=key.headers, json=HELLO).status_code == 200

    key.api_key.revoke(by=SYSTEM)

    for _ in range(8):
        check(client.post(CHAT, headers=key.headers, json=HELLO), 401, "key_revoked")


def test_a_suspended_account_is_403_and_comes_back(client: httpx.Client) -> None:
    key = make_key()
    account = Account.objects.get(pk=key.account.pk)

    account.suspend(by=SYSTEM)
    check(client.post(CHAT, headers=key.headers, json=HELLO), 403, "account_suspended")
    account.reinstate(by=SYSTEM)

    assert client.post(CHAT, headers=make_key(account).headers, json=HELLO).status_code == 200


def test_a_missing_scope_is_named(client: httpx.Client) -> None:
    reader = make_key(scopes=["models:read"])
    writer = make_key(scopes=["chat:write"])

    said = check(client.post(CHAT, headers=reader.headers, json=HELLO), 403, "insufficient_scope")
    assert "chat:write" in said
    said = check(client.get("/v1/models", headers=writer.headers), 403, "insufficient_scope")
    assert "models:read" in said


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"model": None}, "invalid_value", "model"),
        ({"model": 7}, "invalid_value", "model"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": "Hi"}, "invalid_value", "messages"),
        ({"messages": [{"content": "Hi"}]}, "missing_field", "messages[0].role"),
        ({"messages": [{"role": 1}]}, "invalid_value", "messages[0].role"),
        ({"messages": [{"role": "user", "content": {}}]}, "invalid_value", "messages[0].content"),
        ({"messages": [{"role": "user", "content": 5}]}, "invalid_value", "messages[0].content"),
        (
            {"messages": [*MESSAGES, {"role": "user", "content": [{"type": "text"}, {}]}]},
            "missing_field",
            "messages[1].content[1].type",
        ),
        ({"temperature": 2.1}, "invalid_value", "temperature"),
        ({"temperature": "hot"}, "invalid_value", "temperature"),
        ({"top_p": -0.1}, "invalid_value", "top_p"),
        ({"presence_penalty": 3}, "invalid_value", "presence_penalty"),
        ({"frequency_penalty": -3}, "invalid_value", "frequency_penalty"),
        ({"max_tokens": 0}, "invalid_value", "max_tokens"),
        ({"max_tokens": 1.5}, "invalid_value", "max_tokens"),
        ({"stream": "yes"}, "invalid_value", "stream"),
        ({"stop": 4}, "invalid_value", "stop"),
        ({"n": 0}, "invalid_value", "n"),
        ({"user": 12}, "invalid_value", "user"),
    ],
)
def test_a_wrong_field_is_named(
    client: httpx.Client, change: dict[str, Any], code: str, param: str
) -> None:
    answer = client.post(CHAT, headers=make_key().headers, json=HELLO | change)

    check(answer, 400, code, param)


@pytest.mark.parametrize("field", ["model", "messages"])
def test_a_missing_field_is_named(client: httpx.Client, field: str) -> None:
    body = {name: value for name, value in HELLO.items() if name != field}

    check(client.post(CHAT, headers=make_key().headers, json=body), 400, "missing_field", field)


def test_null_means_absent(client: httpx.Client) -> None:
    nulls = dict.fromkeys(["temperature", "stop", "stream", "max_tokens", "user", "top_p"])

    assert client.post(CHAT, headers=make_key().headers, json=HELLO | nulls).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"model": NaN}', b"[" * 100_000],
    ids=["empty", "open", "list", "null", "string", "binary", "nan", "deep"],
)
def test_a_body_that_is_no_json_object_is_400(client: httpx.Client, body: bytes) -> None:
    answer = client.post(CHAT, headers=make_key().headers, content=body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_model_is_404_in_the_seeds_words(client: httpx.Client) -> None:
    answer = client.post(CHAT, headers=make_key().headers, json=HELLO | {"model": "gpt-999"})

    said = check(answer, 404, "invalid_model", "model")
    assert said == "The model 'gpt-999' does not exist."
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_prompt_beyond_the_window_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    long = HELLO | {"messages": [{"role": "user", "content": "word " * 40_000}]}

    answer = client.post(CHAT, headers=make_key().headers, json=long)

    said = check(answer, 400, "context_length_exceeded", "messages")
    assert "This model's maximum context length is 32000 tokens" in said
    assert answer.json()["error"]["type"] == "context_length_error"


def test_an_unknown_address_and_a_wrong_method_are_json_too(client: httpx.Client) -> None:
    headers = make_key().headers

    said = check(client.post("/v1/chat/completion", headers=headers), 404, "unknown_endpoint")
    assert "/v1/chat/completions" in said
    wrong = client.get(CHAT, headers=headers)
    check(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST, OPTIONS"


def test_multipart_is_415(client: httpx.Client) -> None:
    answer = client.post(CHAT, headers=make_key().headers, files={"file": b"x"})

    check(answer, 415, "unsupported_media_type")


def raw(site: Site, key: str, *, declared: str | None, sent: int, chunked: bool) -> bytes:
    """Speak HTTP by hand, so that the declared length can lie."""
    lines = [f"POST {CHAT} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}"]
    lines += ["Content-Type: application/json", "Connection: close"]
    lines += [f"Content-Length: {declared}"] if declared else []
    lines += ["Transfer-Encoding: chunked"] if chunked else []
    piece = b"x" * 65536
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            for _ in range(sent // len(piece)):
                connection.sendall(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
        except OSError:
            pass  # the server had enough
        answer = b""
        try:
            while received := connection.recv(65536):
                answer += received
                if b'"request_id"' in answer:
                    break
        except OSError:
            pass
        return answer


@pytest.mark.parametrize(
    ("declared", "sent", "chunked"),
    [
        (str(MAX_BODY + 1), 65536, False),
        (None, MAX_BODY + 65536, True),
        (str(10**12), MAX_BODY + 65536, False),
    ],
    ids=["declared", "undeclared", "lying"],
)
def test_a_body_over_the_cap_is_413_whatever_was_declared(
    site: Site, declared: str | None, sent: int, chunked: bool
) -> None:
    answer = raw(site, make_key().plaintext, declared=declared, sent=sent, chunked=chunked)

    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_too_large"


def test_bad_requests_charge_nothing(client: httpx.Client) -> None:
    key = make_key()
    for body in [{}, HELLO | {"model": "gpt-999"}, HELLO | {"temperature": 9}]:
        client.post(CHAT, headers=key.headers, json=body)

    limits = client.get("/v1/models", headers=key.headers).headers

    for unit in ("requests", "tokens", "tokens-day"):
        assert limits[f"x-ratelimit-remaining-{unit}"] == limits[f"x-ratelimit-limit-{unit}"]
