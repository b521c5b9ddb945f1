"""Whoever finds a key can say so: it dies, its owner is told, and the finder learns nothing."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from accounts import keys
from accounts.audit import SYSTEM
from accounts.key_rules import LeakPolicy
from accounts.models import Account
from tests.gateway.site import Site
from tests.gateway.test_bad_input import check
from tests.people import make_key

REPORT = "/v1/leaked-key"
LIST = "/v1/leaked-keys"
Scanner = ec.EllipticCurvePrivateKey


@pytest.fixture
def scanner(proxied_site: Site) -> Iterator[Scanner]:
    """Who signs; the site knows the public key."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    known = {"public_keys": [{"key_identifier": "k1", "key": pem.decode(), "is_current": True}]}
    file = Path(proxied_site.settings["KEYPLEX_LEAK_SCANNERS"])
    file.write_text(json.dumps(known))
    yield private
    file.unlink()


def signed(body: bytes, private: Scanner, identifier: str = "k1") -> dict[str, str]:
    signature = private.sign(body, ec.ECDSA(hashes.SHA256()))
    return {
        "Github-Public-Key-Identifier": identifier,
        "Github-Public-Key-Signature": base64.b64encode(signature).decode(),
        "Content-Type": "application/json",
    }


def from_ip(last: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"198.51.100.{last}"}


def test_anybody_may_report_a_key_and_it_is_dead(proxied: httpx.Client) -> None:
    key, stranger = make_key(), make_key()
    assert proxied.get("/v1/key", headers=key.headers).status_code == 200

    report = {"key": key.plaintext, "where": "https://example.com/paste"}
    real = proxied.post(REPORT, json=report, headers=from_ip(1))
    invented = proxied.post(REPORT, json={"key": keys.generate()}, headers=from_ip(1))

    assert (real.status_code, real.content) == (invented.status_code, invented.content)
    assert real.json() == {"object": "leak_report", "accepted": True}
    check(proxied.get("/v1/models", headers=key.headers), 401, "key_revoked")
    assert proxied.get("/v1/key", headers=stranger.headers).status_code == 200
    [leaked, _] = key.account.audit_entries.filter(about=str(key.api_key)).order_by("-number")[:2][
        ::-1
    ]
    assert (leaked.action, leaked.ip) == ("api_key.leaked", "198.51.100.1")
    assert "example.com/paste" in key.account.notices.get().text


def test_an_account_that_wants_to_be_told_only_keeps_its_key(proxied: httpx.Client) -> None:
    key = make_key()
    account = Account.objects.get(pk=key.account.pk)
    account.choose_leak_policy(LeakPolicy.TELL, by=SYSTEM)

    proxied.post(REPORT, json={"key": key.plaintext}, headers=from_ip(2))

    assert proxied.get("/v1/key", headers=key.headers).status_code == 200
    assert account.notices.count() == 1


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"key": 5}', b'{"key": "kpx_short"}', b"\xff"]
)
def test_what_is_no_report_is_400(proxied: httpx.Client, body: bytes) -> None:
    answer = proxied.post(REPORT, content=body, headers=from_ip(3))

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_one_address_may_report_twenty_keys_a_minute(proxied: httpx.Client) -> None:
    answers = [
        proxied.post(REPORT, json={"key": keys.generate()}, headers=from_ip(4)) for _ in range(22)
    ]

    assert [answer.status_code for answer in answers] == [202] * 20 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    other = proxied.post(REPORT, json={"key": keys.generate()}, headers=from_ip(5))
    assert other.status_code == 202


def test_a_signed_list_is_answered_with_which_keys_are_real(
    proxied: httpx.Client, scanner: Scanner
) -> None:
    key, untouched, invented = make_key(), make_key(), keys.generate()
    found = [
        {"token": key.plaintext, "type": "kpx", "url": "https://example.com/c", "source": "commit"},
        {"token": invented, "type": "kpx", "url": "", "source": "commit"},
        {"token": "no key at all", "type": "kpx"},
    ]
    body = json.dumps(found).encode()

    answer = proxied.post(LIST, content=body, headers=signed(body, scanner) | from_ip(6))

    assert answer.status_code == 200
    labels = {entry["token_raw"]: entry["label"] for entry in answer.json()}
    assert labels == {
        key.plaintext: "true_positive",
        invented: "false_positive",
        "no key at all": "false_positive",
    }
    key.api_key.refresh_from_db()
    untouched.api_key.refresh_from_db()
    assert (key.api_key.state, untouched.api_key.state) == ("revoked", "active")
    [entry] = key.account.audit_entries.filter(action="api_key.leaked")
    assert entry.actor == "scanner k1"


def test_a_list_that_nobody_we_know_has_signed_does_nothing(
    proxied: httpx.Client, scanner: Scanner
) -> None:
    key = make_key()
    body = json.dumps([{"token": key.plaintext, "type": "kpx", "url": ""}]).encode()
    good, stranger = signed(body, scanner), ec.generate_private_key(ec.SECP256R1())
    forgeries = [
        (body + b" ", good),
        (body, signed(body, stranger)),
        (body, signed(body, scanner, "k2")),
        (body, good | {"Github-Public-Key-Signature": "AAAA"}),
        (body, good | {"Github-Public-Key-Signature": "not base64!"}),
        (body, {"Content-Type": "application/json"}),
    ]

    for number, (content, headers) in enumerate(forgeries):
        answer = proxied.post(LIST, content=content, headers=headers | from_ip(10 + number))
        check(answer, 401, "invalid_signature")

    key.api_key.refresh_from_db()
    assert (key.api_key.state, key.api_key.leaked_at) == ("active", None)
    assert not key.account.notices.exists()


def test_a_server_that_knows_no_scanner_has_no_such_address(client: httpx.Client) -> None:
    check(client.post(LIST, json=[]), 404, "unknown_endpoint")
