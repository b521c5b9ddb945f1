"""What a key may do, where and from where: one table, whichever way the key comes."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from accounts.audit import SYSTEM
from accounts.models import Account
from accounts.scopes import Scope
from tests.gateway.site import Site
from tests.gateway.test_bad_input import HELLO, check
from tests.people import Issued, make_account, make_key

ENDPOINTS: dict[str, tuple[str, str, Any, Scope | None]] = {
    "chat/completions": ("POST", "/v1/chat/completions", HELLO, Scope.CHAT_WRITE),
    "completions": (
        "POST",
        "/v1/completions",
        {"model": "keyplex/echo", "prompt": "hello", "max_tokens": 3},
        Scope.COMPLETIONS_WRITE,
    ),
    "embeddings": (
        "POST",
        "/v1/embeddings",
        {"model": "keyplex/embedding", "input": "hello"},
        Scope.EMBEDDINGS_WRITE,
    ),
    "models": ("GET", "/v1/models", None, Scope.MODELS_READ),
    "usage": ("GET", "/v1/usage", None, Scope.USAGE_READ),
    "key": ("GET", "/v1/key", None, None),
    "limits": ("GET", "/v1/limits", None, None),
}
EVERY_SET = [
    list(chosen)
    for size in range(len(Scope.values) + 1)
    for chosen in itertools.combinations(Scope.values, size)
]


def ask(
    client: httpx.Client, endpoint: str, headers: dict[str, str], method: str = ""
) -> httpx.Response:
    own, path, body, _ = ENDPOINTS[endpoint]
    return client.request(method or own, path, headers=headers, json=body)


def test_scopes_times_endpoints_times_methods_is_just_this_table(
    client: httpx.Client, site: Site
) -> None:
    site.see_catalog()
    account = make_account()
    keys = [make_key(account, scopes=chosen) for chosen in EVERY_SET]

    assert len(keys) == 32
    for key, (endpoint, (own, _, _, scope)) in itertools.product(keys, ENDPOINTS.items()):
        answer = ask(client, endpoint, key.headers)
        if scope is None or scope in key.api_key.scopes:
            assert answer.status_code == 200, (key.api_key.scopes, endpoint, answer.text)
        else:
            assert scope in check(answer, 403, "insufficient_scope")
        other = "GET" if own == "POST" else "POST"
        check(ask(client, endpoint, key.headers, other), 405, "method_not_allowed")
    for endpoint in ENDPOINTS:
        check(ask(client, endpoint, {}), 401, "missing_api_key")


def wait_for(happens: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.05)


def carriers(key: str) -> Iterator[dict[str, str]]:
    yield {"Authorization": f"Bearer {key}"}
    yield {"authorization": f"bearer   {key}"}
    yield {"X-API-Key": key}
    yield {"api-key": key}


def test_every_carrier_leads_to_the_same_decision(client: httpx.Client, site: Site) -> None:
    site.see_catalog()
    account = make_account()
    good, narrow = make_key(account), make_key(account, scopes=["usage:read"])
    revoked, bound = make_key(account), make_key(account)
    revoked.api_key.revoke(by=SYSTEM)
    bound.api_key.change(by=SYSTEM, allowed_networks=["203.0.113.0/24"])
    codes = {
        good: None,
        narrow: "insufficient_scope",
        revoked: "key_revoked",
        bound: "ip_not_allowed",
    }

    for key, code in codes.items():
        for headers in carriers(key.plaintext):
            answer = ask(client, "chat/completions", headers)
            assert answer.status_code == 200 if code is None else code in answer.text, headers
    cookie = client.post(
        "/v1/chat/completions", json=HELLO, headers={"Cookie": f"api-key={good.plaintext}"}
    )
    check(cookie, 401, "missing_api_key")
    query = client.post(f"/v1/chat/completions?api-key={good.plaintext}", json=HELLO)
    check(query, 401, "api_key_in_address")
    wait_for(lambda: type(good.api_key).objects.get(pk=good.api_key.pk).leaked_at)
    assert ask(client, "chat/completions", good.headers).status_code == 200
    two = good.headers | {"X-API-Key": good.plaintext}
    check(ask(client, "chat/completions", two), 401, "several_api_keys")


def test_a_key_sees_and_uses_the_models_it_may(client: httpx.Client, site: Site) -> None:
    site.see_catalog()
    key = make_key()
    key.api_key.change(by=SYSTEM, allowed_models=["keyplex/echo"])

    listed = client.get("/v1/models", headers=key.headers).json()["data"]
    allowed = ask(client, "chat/completions", key.headers)
    refused = ask(client, "embeddings", key.headers)
    looked_at = client.get("/v1/models/keyplex/embedding", headers=key.headers)

    assert [model["id"] for model in listed] == ["keyplex/echo"]
    assert allowed.status_code == 200
    check(refused, 403, "model_not_allowed", "model")
    check(looked_at, 403, "model_not_allowed", "model")
    assert client.get("/v1/key", headers=key.headers).json()["models"] == ["keyplex/echo"]


def test_a_key_is_good_for_the_endpoints_it_names_and_to_ask_about_itself(
    client: httpx.Client, site: Site
) -> None:
    site.see_catalog()
    key = make_key()
    key.api_key.change(by=SYSTEM, allowed_endpoints=["embeddings"])

    statuses = {name: ask(client, name, key.headers).status_code for name in ENDPOINTS}

    assert [name for name, status in statuses.items() if status == 200] == [
        "embeddings",
        "key",
        "limits",
    ]
    check(ask(client, "usage", key.headers), 403, "endpoint_not_allowed")


@pytest.mark.parametrize(
    ("narrowed", "code"),
    [
        ({"scopes": ["usage:read"]}, "insufficient_scope"),
        ({"allowed_models": ["openai/gpt-4o-mini"]}, "model_not_allowed"),
        ({"allowed_endpoints": ["models"]}, "endpoint_not_allowed"),
        ({"allowed_networks": ["203.0.113.0/24"]}, "ip_not_allowed"),
    ],
)
def test_what_a_key_may_no_longer_do_is_refused_by_every_worker_at_once(
    client: httpx.Client, narrowed: dict[str, list[str]], code: str
) -> None:
    key = make_key()
    for _ in range(8):
        assert ask(client, "chat/completions", key.headers).status_code == 200

    key.api_key.change(by=SYSTEM, **narrowed)  # type: ignore[arg-type]

    param = "model" if code == "model_not_allowed" else None
    for _ in range(8):
        check(ask(client, "chat/completions", key.headers), 403, code, param)


def test_an_address_counts_as_our_proxy_saw_it(proxied: httpx.Client) -> None:
    key = make_key()
    key.api_key.change(by=SYSTEM, allowed_networks=["203.0.113.0/24"])

    def status(forwarded: str) -> int:
        headers = key.headers | {"X-Forwarded-For": forwarded}
        return proxied.get("/v1/key", headers=headers).status_code

    assert status("203.0.113.9") == 200
    assert status("6.6.6.6, 203.0.113.9, 127.0.0.1") == 200
    assert status("203.0.113.9, 6.6.6.6") == 403
    assert status("6.6.6.6") == 403


def test_a_forged_header_from_somebody_else_changes_nothing(client: httpx.Client) -> None:
    key = make_key()
    key.api_key.change(by=SYSTEM, allowed_networks=["203.0.113.0/24"])

    forged = key.headers | {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}

    check(client.get("/v1/key", headers=forged), 403, "ip_not_allowed")


def test_a_key_that_is_not_in_use_says_why(client: httpx.Client) -> None:
    asleep, expired, rotated, revoked = (make_key() for _ in range(4))
    now = timezone.now()
    asleep.api_key.deactivate(by=SYSTEM)
    expired.api_key.change(by=SYSTEM, expires_at=now)
    _, plaintext = rotated.api_key.rotate(by=SYSTEM, until=now)
    revoked.api_key.revoke(by=SYSTEM)

    for key, code in (
        (asleep, "key_deactivated"),
        (expired, "key_expired"),
        (rotated, "key_rotated"),
        (revoked, "key_revoked"),
    ):
        check(client.get("/v1/key", headers=key.headers), 401, code)
    successor = Issued(rotated.api_key, plaintext)
    assert client.get("/v1/key", headers=successor.headers).status_code == 200


def test_a_frozen_account_is_refused_at_once_and_thaws(client: httpx.Client) -> None:
    key, stranger = make_key(), make_key()
    account = Account.objects.get(pk=key.account.pk)
    for _ in range(8):
        assert ask(client, "chat/completions", key.headers).status_code == 200

    account.freeze(by=SYSTEM)
    for _ in range(8):
        check(ask(client, "chat/completions", key.headers), 403, "account_frozen")
        assert ask(client, "chat/completions", stranger.headers).status_code == 200
    account.thaw(by=SYSTEM)

    wait_for(lambda: ask(client, "chat/completions", key.headers).status_code == 200)


def test_a_key_tells_what_it_may_do(client: httpx.Client) -> None:
    key = make_key(own={"tokens_per_lifetime": 1000})
    ends = timezone.now() + timedelta(days=2)
    key.api_key.change(by=SYSTEM, environment="staging", expires_at=ends)
    key.api_key.change(by=SYSTEM, allowed_networks=["127.0.0.0/8"])

    facts = client.get("/v1/key", headers=key.headers).json()

    assert (facts["environment"], facts["expires"]) == ("staging", int(ends.timestamp()))
    assert (facts["models"], facts["endpoints"]) == (None, None)
    assert facts["networks"] == ["127.0.0.0/8"]
    [lifetime] = [limit for limit in facts["limits"] if limit["window"] == "lifetime"]
    assert (lifetime["limit"], lifetime["used"], lifetime["reset"]) == (1000, 0, None)
