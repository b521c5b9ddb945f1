"""One request: when what happened, what its answer said, and how to send it again."""

import json

import pytest

from tests.dashboard.conftest import Scene, text_of

LIMIT = {"name": "tokens_per_minute", "limit": 1000, "used": 400, "asked": 100, "remaining": 500}
ROUTE = {"provider": "openrouter", "model": "upstream-name"}
DECISION = {
    "admitted": True,
    "decided_ms": 2,
    "limits": [{**LIMIT, "reset": 1_800_000_000}],
    "routes": [
        {**ROUTE, "outcome": "no answer", "began_ms": 3, "ms": 30, "status": 503},
        {**ROUTE, "outcome": "answered", "began_ms": 40, "ms": 210, "status": 200},
    ],
}


def make(scene: Scene, **fields: object) -> str:
    """A streamed call that succeeded at the second try."""
    told: dict[str, object] = {
        "decision": json.dumps(DECISION).encode(),
        "provider": "openrouter",
        "attempts": 2,
        "ttft_ms": 260,
        "latency_ms": 1400,
    }
    return scene.call(**(told | fields))


def test_the_steps_are_told_in_the_order_of_the_clock(scene: Scene) -> None:
    page = text_of(scene.owner.get(f"/logs/{make(scene)}"))

    steps = [
        *(
            "Received 0 ms",
            "Admitted 2 ms",
            "openrouter · upstream-name no answer, status 503 3 ms",
        ),
        *("openrouter replied 33 ms", "openrouter · upstream-name answered, status 200 40 ms"),
        *("openrouter replied 250 ms", "First token 260 ms", "Ended 1.4 s"),
    ]
    assert " ".join(steps) in page


def test_the_headers_are_those_that_the_client_saw(scene: Scene) -> None:
    request_id = make(scene)

    page = text_of(scene.owner.get(f"/logs/{request_id}"))

    assert f"x-request-id {request_id}" in page
    assert "x-keyplex-attempts 2" in page
    assert "x-ratelimit-limit-tokens 1000 x-ratelimit-remaining-tokens 500" in page


def test_the_command_has_the_endpoint_and_model_but_never_a_key_or_a_prompt(scene: Scene) -> None:
    request_id = make(scene, requested_model="it's", streamed=True)

    page = scene.owner.get(f"/logs/{request_id}")
    command = text_of(page)

    assert "/v1/chat/completions" in command
    assert "Bearer $API_KEY" in command
    assert "YOUR PROMPT" in command
    assert scene.key.plaintext not in command


@pytest.mark.parametrize("fields", [{"model": "gone/model"}, {"api_key_id": 10**6}])
def test_what_is_deleted_since_is_still_told(scene: Scene, fields: dict[str, object]) -> None:
    page = scene.owner.get(f"/logs/{make(scene, **fields)}")

    assert page.status_code == 200


def test_a_foreign_id_is_answered_like_one_that_never_was(scene: Scene) -> None:
    theirs, nobodys = make(scene), "req_0" + "a" * 27
    foreign = scene.stranger.get(f"/logs/{theirs}")
    unknown = scene.stranger.get(f"/logs/{nobodys}")

    assert foreign.status_code == unknown.status_code == 404
    assert text_of(foreign).replace(theirs, nobodys) == text_of(unknown)
