"""What the log says of a call that did not go well is true of just that call."""

import json
import time
from typing import Any

import pytest

from gateway.explanations import explanation
from tests.dashboard.conftest import Scene, text_of
from usage.models import RequestLog

NOW = int(time.time())
MINUTE = {"name": "requests_per_minute", "limit": 60, "used": 60, "asked": 1, "remaining": 0}
DAY = {"name": "tokens_per_day", "limit": 1000, "used": 0, "asked": 5000, "remaining": 1000}
LIFETIME = {"name": "tokens_per_lifetime", "limit": 900, "used": 890, "asked": 20, "remaining": 10}
KEY = {"scope": "key"}
TRIED = {"provider": "openrouter", "model": "some/model", "outcome": "timeout", "began_ms": 3}
OTHER = TRIED | {"provider": "openai"}
PASSED_OVER = {"provider": "deepseek", "model": "some/model", "outcome": "not configured"}


def told(scene: Scene, **fields: Any) -> tuple[str, dict[str, Any]]:
    """What the page of a call says, and what the API explains."""
    decision = json.dumps(fields.pop("decision")).encode()
    request_id = scene.call(decision=decision, lease="", started_at=float(NOW), **fields)
    page = text_of(scene.owner.get(f"/logs/{request_id}"))
    return page, explanation(RequestLog.objects.get(request_id=request_id))


def refused(scene: Scene, *limits: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    decision = {"admitted": False, "limits": limits}
    return told(scene, decision=decision, outcome="refused", status_code=429)


def test_a_limit_of_which_only_the_reset_is_known_lets_it_pass_then(scene: Scene) -> None:
    page, explained = refused(scene, MINUTE | {"reset": NOW + 40})

    assert "after 40.0 s" in page
    assert "never" not in page
    assert (explained["passes"], explained["passes_at"]) == (True, NOW + 40)


def test_where_no_moment_is_known_nobody_says_never(scene: Scene) -> None:
    page, explained = refused(scene, MINUTE | {"reset": None})

    assert "The same request later" in page
    assert "never" not in page
    assert (explained["passes"], explained["passes_at"]) == (True, None)


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        (DAY | {"reset": NOW + 60}, "it asks for more than the plan allows at once"),
        (DAY | KEY | {"reset": NOW + 60}, "it asks for more than this key allows at once"),
        (LIFETIME | KEY | {"reset": None}, "it asks for more than this key has left for its life"),
    ],
    ids=["plan", "key", "lifetime"],
)
def test_never_is_said_with_whose_limit_it_is(
    scene: Scene, limit: dict[str, Any], why: str
) -> None:
    page, explained = refused(scene, limit)

    assert f"never : {why}" in page
    assert (explained["passes"], explained["passes_at"]) == (False, None)


def test_the_limit_that_is_final_has_the_headline_for_itself(scene: Scene) -> None:
    later = MINUTE | {"reset": NOW + 9, "passes_at": NOW + 9}

    page, explained = refused(scene, later, DAY | {"reset": NOW + 60})

    assert "429 refused Tokens per day" in page
    assert "Requests per minute and" not in page
    assert explained["passes"] is False


@pytest.mark.parametrize(
    ("status", "routes", "meaning"),
    [
        (200, [TRIED], "It broke off after it had begun to answer; no other route can"),
        (200, [TRIED, OTHER], "It broke off after it had begun to answer; no other route can"),
        (503, [], "The model or its provider failed."),
        (504, [TRIED, TRIED, PASSED_OVER], "The model or its provider failed."),
        (503, [TRIED, OTHER], "The model or its provider failed, on every route that was tried."),
    ],
)
def test_a_failure_tells_of_routes_where_there_were_some(
    scene: Scene, status: int, routes: list[dict[str, Any]], meaning: str
) -> None:
    decision = {"admitted": True, "limits": [], "routes": routes}

    page, explained = told(scene, decision=decision, outcome="upstream_error", status_code=status)

    assert meaning in page
    assert explained["meaning"].startswith(meaning)


def test_limits_that_were_only_shown_are_not_called_checked(scene: Scene) -> None:
    shown = {"admitted": True, "limits": [MINUTE | {"asked": 0, "reset": NOW + 9}]}
    checked = {"admitted": True, "limits": [MINUTE | {"used": 3, "reset": NOW + 9}]}

    unknown, _ = told(scene, decision=shown, outcome="client_error", status_code=404)
    answered, _ = told(scene, decision=checked)

    assert "Limits at that moment" in unknown
    assert "Limits that were checked" in answered
