"""The JavaScript SDK asks a running site everything that it has a method for."""

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.instance import ROOT
from tests.gateway.conftest import Recorded
from tests.people import make_key
from tests.sdk.conftest import Person
from tests.sdk.node import NEEDS_NODE

pytestmark = NEEDS_NODE
PROGRAM = Path(__file__).parent / "programs" / "walk.mjs"
REFUSALS = {
    "explainedToColleague": ("PermissionDeniedError", "insufficient_scope"),
    "explainedToStranger": ("NotFoundError", "unknown_request"),
    "usageOfColleague": ("PermissionDeniedError", "insufficient_scope"),
    "eventsOfColleague": ("PermissionDeniedError", "insufficient_scope"),
    "wrongKey": ("AuthenticationError", "invalid_api_key"),
    "badValue": ("BadRequestError", "invalid_value"),
    "tooLong": ("ContextLengthError", "context_length_exceeded"),
    "noModel": ("ModelError", "model_unavailable"),
    "limited": ("RateLimitError", "rate_limit_exceeded"),
}
SDK = ROOT / "sdk" / "js" / "index.js"


def chat(person: Person) -> str:
    """Have a chat; the id of the request."""
    made = person.client.chat.completions.create(
        model="keyplex/echo", messages=[{"role": "user", "content": "Hello, world!"}]
    )
    return made._request_id or ""


def walk(
    sdk: str, people: list[Person], recorded: Recorded, *, program: Path = PROGRAM
) -> dict[str, Any]:
    """What the program says, once the owner has had a chat."""
    owner = people[0]
    hasty = make_key(own={"requests_per_minute": 1}).plaintext
    request_id = chat(owner)
    recorded(request_id)
    keys = [*(person.issued.plaintext for person in people), hasty]
    done = subprocess.run(
        ["node", program, sdk, str(owner.client.base_url), request_id, *keys],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_every_method_and_every_error(
    owner: Person, colleague: Person, stranger: Person, recorded: Recorded
) -> None:
    said = walk(str(SDK), [owner, colleague, stranger], recorded)

    check_answers(said)
    check_refusals(said)
    assert said["ambientKey"] == owner.issued.api_key.pk


def check_answers(said: dict[str, Any]) -> None:
    assert said["isOpenAI"]
    assert said["chat"] == said["streamed"] == "Hello, world!"
    assert said["vectors"] == 2
    assert said["events"] == ["api_key.created"] * 2
    assert said["next"]
    assert said["usage"] == said["usageOfKeys"] == 1
    assert said["usageTomorrow"] == said["usageOfStranger"] == 0
    assert said["limits"] == ["requests/minute", "tokens/minute", "tokens/day"]
    assert said["key"] == ["chat:write"]
    assert said["explained"] == 8
    assert said["sent"]
    assert said["leftBefore"]["remaining"] == 0


def check_refusals(said: dict[str, Any]) -> None:
    """Each with the id of its request."""
    for name, (kind, code) in REFUSALS.items():
        assert said[name].pop("requestID").startswith("req_")
        assert said[name].pop("known"), name
        assert (said[name]["name"], said[name]["code"]) == (kind, code)
    assert said["nowhere"]["name"] == said["nobody"]["name"] == "OpenAIError"
    assert said["tooLong"]["type"] == "context_length_error"
    assert "requests per minute" in said["message"]
    assert 1 <= said["retryAfter"] <= 61
    assert said["scope"] == "key"
    assert (said["left"]["limit"], said["left"]["remaining"]) == (1, 0)
    assert datetime.fromisoformat(said["left"]["reset"]).tzinfo
