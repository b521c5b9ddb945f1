"""Either SDK takes the webhooks that we sign, and nothing else."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import keyplex
from tests.sdk.node import NEEDS_NODE
from webhooks import signing

PROGRAM = Path(__file__).parent / "programs" / "webhook.mjs"
ID = "evt_5d0c7e1f9a2b4c6d8e0f1a2b3c4d"
FORGED = "InvalidWebhookSignatureError"


@dataclass(frozen=True)
class Request:
    """A webhook as it arrives, with the secret that the receiver has."""

    body: bytes
    headers: dict[str, str]
    secret: str

    def without(self, *names: str) -> "Request":
        return replace(self, headers={k: v for k, v in self.headers.items() if k not in names})

    def having(self, **headers: str) -> "Request":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers=self.headers | named)


def sign(*, ago: int = 0, older: str | None = None) -> Request:
    """An event that was signed so many seconds ago, with the secret before this one as well."""
    document = {"id": ID, "type": "api_key.created", "data": {"name": "Schlüssel ✓"}}
    body, secret = json.dumps(document, ensure_ascii=False).encode(), signing.generate_secret()
    valid = [secret, older] if older else [secret]
    return Request(body, signing.headers(ID, int(time.time()) - ago, body, valid), secret)


Verdict = Callable[[str, Request], Any]
IN_PYTHON = {
    "verify": keyplex.webhooks.verify,
    "verify_body": keyplex.webhooks.verify_body,
    "verify_within_an_hour": partial(keyplex.webhooks.verify, tolerance=3600),
}


def python_says(function: str, webhook: Request) -> Any:
    try:
        event = IN_PYTHON[function](webhook.body, webhook.headers, webhook.secret)
    except keyplex.InvalidWebhookSignatureError:
        return FORGED
    except ValueError:
        return "no secret"
    return {"id": event.id, "name": event.data["name"]}


def node_says(function: str, webhook: Request) -> Any:
    done = subprocess.run(
        ["node", PROGRAM, function, json.dumps(webhook.headers), webhook.secret],
        input=webhook.body,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(params=[python_says, pytest.param(node_says, marks=NEEDS_NODE)])
def verdict(request: pytest.FixtureRequest) -> Verdict:
    """What the function of that name in this language makes of a request: an id, or an error."""
    verdict: Verdict = request.param
    return verdict


BOTH = pytest.mark.parametrize("function", ["verify", "verify_body"])


@BOTH
def test_a_webhook_of_ours_is_an_event(verdict: Verdict, function: str) -> None:
    assert verdict(function, sign()) == {"id": ID, "name": "Schlüssel ✓"}


@BOTH
def test_the_case_of_the_headers_does_not_matter(verdict: Verdict, function: str) -> None:
    webhook = sign()
    shouted = replace(webhook, headers={k.upper(): v for k, v in webhook.headers.items()})

    assert verdict(function, shouted)["id"] == ID


@BOTH
def test_a_changed_body_is_refused(verdict: Verdict, function: str) -> None:
    webhook = sign()

    assert verdict(function, replace(webhook, body=webhook.body + b" ")) == FORGED


@BOTH
def test_the_secret_of_another_endpoint_is_refused(verdict: Verdict, function: str) -> None:
    assert verdict(function, replace(sign(), secret=signing.generate_secret())) == FORGED


@BOTH
def test_for_a_day_after_a_rotation_either_secret_is_right(verdict: Verdict, function: str) -> None:
    older = signing.generate_secret()
    webhook = sign(older=older)

    assert verdict(function, webhook)["id"] == ID
    assert verdict(function, replace(webhook, secret=older))["id"] == ID


@BOTH
@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "c2VjcmV0"])
def test_what_is_no_secret_is_told_apart(verdict: Verdict, function: str, secret: str) -> None:
    assert verdict(function, replace(sign(), secret=secret)) == "no secret"


@BOTH
def test_a_request_without_signatures_is_refused(verdict: Verdict, function: str) -> None:
    assert verdict(function, replace(sign(), headers={})) == FORGED


@pytest.mark.parametrize("ago", [600, -600])
def test_a_webhook_of_another_time_is_refused(verdict: Verdict, ago: int) -> None:
    assert verdict("verify", sign(ago=ago)) == FORGED


def test_another_tolerance_can_be_given(verdict: Verdict) -> None:
    assert verdict("verify_within_an_hour", sign(ago=600))["id"] == ID


def test_id_and_time_are_signed_too(verdict: Verdict) -> None:
    later, other = str(int(time.time()) - 1), "evt_another"

    assert verdict("verify", sign(ago=600).having(webhook_timestamp=later)) == FORGED
    assert verdict("verify", sign().having(webhook_id=other)) == FORGED
    assert verdict("verify", sign().having(webhook_timestamp="now")) == FORGED


def test_the_older_scheme_does_not_stand_in_for_the_newer(verdict: Verdict) -> None:
    """Else whoever recorded a request could take headers away and send it for ever."""
    recorded = sign(ago=600).without("webhook-signature")

    assert verdict("verify", recorded) == FORGED
    assert verdict("verify_body", recorded)["id"] == ID
