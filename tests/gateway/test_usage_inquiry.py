"""``GET /v1/usage`` tells what the dashboard tells, in the seed's shape, about one account."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.gateway.test_bad_input import check
from tests.people import Issued, make_key
from tests.usage.calls import make_final
from usage import posting

NOW = datetime.now(UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def key(client: httpx.Client) -> Issued:
    """One that did something yesterday and today, beside a colleague and a stranger."""
    key = make_key()
    colleague, stranger = make_key(key.account), make_key()
    posting.post(
        [
            called(key, "openai/gpt-4o-mini", 100, 20, TODAY),
            called(key, "keyplex/echo", 5, 5, TODAY),
            called(key, "keyplex/echo", 1, 1, TODAY - timedelta(days=1)),
            called(colleague, "keyplex/echo", 30, 0, TODAY),
            called(stranger, "keyplex/echo", 7000, 0, TODAY),
        ]
    )
    return key


def called(key: Issued, model: str, prompt: int, completion: int, at: datetime) -> posting.Final:
    return make_final(
        started_at=at.timestamp(),
        account_id=key.account.pk,
        api_key_id=key.api_key.pk,
        model=model,
        prompt_tokens=prompt,
        completion_tokens=completion,
    )


def ask(client: httpx.Client, key: Issued, **parameters: str | int) -> dict[str, Any]:
    answer = client.get("/v1/usage", headers=key.headers, params=parameters)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_it_has_the_seeds_shape_and_only_what_the_account_did(
    client: httpx.Client, key: Issued
) -> None:
    today = f"{TODAY:%Y-%m-%d}"

    assert ask(client, key, start=today, end=today) == {
        "object": "usage",
        "period": {
            "start": f"{today}T00:00:00Z",
            "end": f"{TODAY + timedelta(days=1):%Y-%m-%dT00:00:00Z}",
        },
        "data": {
            "total_requests": 3,
            "total_tokens": 160,
            "prompt_tokens": 135,
            "completion_tokens": 25,
            "models": {
                "openai/gpt-4o-mini": {"requests": 1, "tokens": 120},
                "keyplex/echo": {"requests": 2, "tokens": 40},
            },
        },
    }


def test_without_a_period_it_is_the_current_billing_period(
    client: httpx.Client, key: Issued
) -> None:
    began = key.account.subscription.current_period_start

    period = ask(client, key)["period"]

    assert period["start"] == f"{began:%Y-%m-%dT%H}:00:00Z"
    assert datetime.fromisoformat(period["end"]) >= began.replace(microsecond=0)


def test_one_key_or_one_model_alone(client: httpx.Client, key: Issued) -> None:
    since = int((TODAY - timedelta(days=1)).timestamp())

    mine = ask(client, key, start=since, api_key_id=key.api_key.pk)["data"]
    model = ask(client, key, start=since, model="keyplex/echo")["data"]

    assert mine["total_tokens"] == 132
    assert (model["total_requests"], model["total_tokens"]) == (3, 42)
    assert ask(client, key, start=since, model="never/used")["data"]["models"] == {}


def test_groups_add_up_to_the_total(client: httpx.Client, key: Issued) -> None:
    since = f"{TODAY - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"

    by_key = ask(client, key, start=since, group_by="api_key")
    by_day = ask(client, key, start=since, group_by="day")["groups"]
    by_hour = ask(client, key, start=since, group_by="hour")["groups"]

    assert [group["tokens"] for group in by_key["groups"]] == [132, 30]
    assert by_key["groups"][0]["api_key_id"] == key.api_key.pk
    assert [group["tokens"] for group in by_day] == [2, 160]
    assert len(by_hour) >= 24
    assert sum(group["tokens"] for group in by_hour) == by_key["data"]["total_tokens"] == 162


def test_endpoints_and_end_users_add_up_to_the_total(client: httpx.Client) -> None:
    key = make_key()
    mine = {"account_id": key.account.pk, "api_key_id": key.api_key.pk}
    posting.post(
        [
            make_final(**mine, endpoint="embeddings", end_user="ada", prompt_tokens=50),
            make_final(**mine, endpoint="chat/completions", end_user="bob", prompt_tokens=7),
            make_final(**mine, endpoint="chat/completions", prompt_tokens=3),
        ]
    )

    by_endpoint = ask(client, key, group_by="endpoint")
    by_user = ask(client, key, group_by="end_user")["groups"]
    chats = ask(client, key, group_by="end_user", endpoint="chat/completions")

    assert [(group["endpoint"], group["tokens"]) for group in by_endpoint["groups"]] == [
        ("embeddings", 50),
        ("chat/completions", 10),
    ]
    named = [(group["end_user"], group["tokens"]) for group in by_user]
    assert named == [("ada", 50), ("bob", 7), (None, 3)]
    assert chats["data"]["total_tokens"] == sum(group["tokens"] for group in chats["groups"]) == 10


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ("start=yesterday", "start"),
        ("end=9999-12-31", "end"),
        ("start=99999999999999999999", "start"),
        ("start=2026-02-01&end=2026-01-01", "start"),
        ("api_key_id=abc", "api_key_id"),
        ("api_key_id=9999999999999999999", "api_key_id"),
        ("group_by=weekday", "group_by"),
        ("start=2020-01-01&group_by=hour", "group_by"),
        ("modle=keyplex/echo", "modle"),
        ("model=%00", "model"),
        ("start=%C3%A9", "start"),
    ],
)
def test_a_wrong_parameter_is_named(client: httpx.Client, parameters: str, param: str) -> None:
    check(
        client.get(f"/v1/usage?{parameters}", headers=make_key().headers),
        400,
        "invalid_value",
        param,
    )


def test_it_needs_its_scope(client: httpx.Client) -> None:
    writer = make_key(scopes=["chat:write"])

    check(client.get("/v1/usage", headers=writer.headers), 403, "insufficient_scope")
