"""The page, the file, ``GET /v1/usage`` and the request log tell the same of the same period."""

import csv
import random
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Q, Sum
from django.test.utils import CaptureQueriesContext

from gateway import counters, usage_inquiry
from tests.dashboard.conftest import Scene
from tests.people import make_key
from tests.usage.calls import make_final
from usage import posting
from usage.models import RequestLog, UsageHour
from usage.rollups import CLASSES

END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
START = END - timedelta(days=5)
PERIOD = f"start={START:%Y-%m-%dT%H:%M}Z&end={END:%Y-%m-%dT%H:%M}Z"
FILTERS = [
    "",
    "model=openai/gpt-4o",
    "endpoint=embeddings",
    "key={key}",
    "key={key}&model=keyplex/echo",
]
GROUP_BY = {"model": "model", "key": "api_key", "endpoint": "endpoint", "user": "end_user"}
OUTCOMES = [*["ok"] * 5, "refused", "client_error", "upstream_error", "interrupted"]


@pytest.fixture
def month(scene: Scene) -> Scene:
    """Some hundred calls of all kinds within the period and around it."""
    dice = random.Random(5)
    account = scene.key.account
    keys = [scene.key.api_key.pk, make_key(account).api_key.pk]
    posting.post(
        [
            make_final(
                account_id=account.pk,
                api_key_id=dice.choice(keys),
                started_at=(START + timedelta(hours=dice.uniform(-20, 140))).timestamp(),
                model=dice.choice(["openai/gpt-4o", "keyplex/echo", "=1+1"]),
                endpoint=dice.choice(["chat/completions", "embeddings"]),
                end_user=dice.choice(["", "ada", "bob", "+cmd|' /C calc'!A0"]),
                outcome=dice.choice(OUTCOMES),
                prompt_tokens=dice.randint(0, 5000),
                completion_tokens=dice.randint(0, 500),
            )
            for _ in range(400)
        ]
    )
    return scene


def in_the_log(scene: Scene, only: dict[str, Any]) -> dict[str, int]:
    rows = RequestLog.objects.filter(
        account_id=scene.key.account.pk, started_at__gte=START, started_at__lt=END, **only
    )
    counts = {column: Count("pk", Q(outcome=name)) for name, column in CLASSES.items()}
    found: dict[str, int] = rows.aggregate(
        requests=Count("pk"),
        prompt_tokens=Sum("prompt_tokens"),
        completion_tokens=Sum("completion_tokens"),
        **counts,
    )
    return found


def in_the_file(scene: Scene, query: str) -> list[dict[str, str]]:
    answer = scene.owner.get(f"/usage.csv?{query}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="usage-')
    assert answer.streaming
    return list(csv.DictReader(StringIO(answer.getvalue().decode())))


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("by", ["model", "key", "endpoint", "user"])
def test_page_file_interface_and_log_agree(month: Scene, filters: str, by: str) -> None:
    query = f"{PERIOD}&by={by}&{filters.format(key=month.key.api_key.pk)}&zone=Europe/Berlin"
    answer = month.owner.get(f"/usage?{query}")
    only = answer.context["view"].only
    log, totals = in_the_log(month, only), answer.context["totals"]

    assert {name: getattr(totals, name) for name in log} == log
    rows = [row.totals for row in answer.context["rows"]]
    assert sum(row.requests for row in rows) == log["requests"]
    assert sum(row.tokens for row in rows) == log["prompt_tokens"] + log["completion_tokens"]
    chart = answer.context["chart"]
    assert sum(series.total for series in chart.series) == totals.tokens
    assert sum(count for *_, count in answer.context["errors"]) == log["requests"] - log["ok"]
    lines = in_the_file(month, query)
    assert {name: sum(int(line[name]) for line in lines) for name in log} == log
    api = usage_inquiry.answer(
        month.key.account.pk, usage_inquiry.Inquiry(START, END, only, GROUP_BY[by])
    )["data"]
    assert api["total_requests"] == log["requests"]
    assert (api["prompt_tokens"], api["completion_tokens"]) == (
        log["prompt_tokens"],
        log["completion_tokens"],
    )


def test_every_group_of_the_page_is_the_one_of_the_file_and_the_interface(month: Scene) -> None:
    page = month.owner.get(f"/usage?{PERIOD}&by=user").context["rows"]
    lines = in_the_file(month, f"{PERIOD}&by=user")
    asked = usage_inquiry.Inquiry(START, END, {}, "end_user")
    api = usage_inquiry.answer(month.key.account.pk, asked)["groups"]

    assert {row.name for row in page} == {"ada", "bob", "+cmd|' /C calc'!A0", "no end user named"}
    for row, group in zip(page, api, strict=True):
        name = "" if row.name == "no end user named" else row.name
        mine = [line for line in lines if line["end_user"].lstrip("'") == name]
        assert sum(int(line["total_tokens"]) for line in mine) == row.totals.tokens
        assert (group["end_user"] or "", group["tokens"]) == (name, row.totals.tokens)


def test_no_spreadsheet_calculates_what_a_client_wrote(month: Scene) -> None:
    text = month.owner.get(f"/usage.csv?{PERIOD}&by=user").getvalue().decode()

    assert "'+cmd" in text
    assert not any(
        cell.startswith(("=", "+", "@")) for row in csv.reader(StringIO(text)) for cell in row
    )


def test_a_stranger_gets_an_empty_file_and_nonsense_is_refused(month: Scene) -> None:
    assert len(month.stranger.get(f"/usage.csv?{PERIOD}").getvalue().splitlines()) == 1
    assert month.colleague.get(f"/usage.csv?{PERIOD}").getvalue().count(b"\n") > 5
    assert month.owner.get("/usage.csv?start=yesterday").status_code == 422
    assert month.owner.post("/usage.csv").status_code == 405


@pytest.mark.parametrize("by", ["model", "key", "endpoint", "user"])
def test_the_last_hour_is_told_minute_by_minute_from_the_log(scene: Scene, by: str) -> None:
    now = datetime.now(UTC)
    timed = {"streamed": True, "latency_ms": 1100, "ttft_ms": 100, "completion_tokens": 51}
    for minutes in (3, 40, 55, 90):
        at = (now - timedelta(minutes=minutes)).timestamp()
        scene.call(started_at=at, end_user="ada", prompt_tokens=10, **timed)
        scene.call(started_at=at, outcome="refused", error_code="quota_exceeded", lease="")

    context = scene.owner.get(f"/usage?range=1h&by={by}").context

    assert len(context["chart"].moments) in (60, 61)
    assert sum(series.total for series in context["chart"].series) == 3 * 61
    totals = context["totals"]
    assert (totals.requests, totals.ok, totals.refused, totals.admitted) == (6, 3, 3, 3)
    assert sum(row.totals.requests for row in context["rows"]) == 6
    assert totals.tokens_per_second == 50
    assert context["errors"][0][::4] == ("quota_exceeded", 3)
    assert 1000 < context["speed"].latency.median < 1300
    assert sum(int(line["requests"]) for line in in_the_file(scene, f"range=1h&by={by}")) == 6


@pytest.mark.parametrize(
    "path", ["/usage?range=1h", "/usage?range=30d", "/usage?range=30d&by=user", "/overview"]
)
def test_a_page_asks_as_often_for_a_thousand_rollups_as_for_ten(scene: Scene, path: str) -> None:
    scene.key.account.refresh_from_db()
    counters.restore(scene.key.account.pk, scene.key.account.epoch)  # as Redis has them, mostly

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert scene.owner.get(path).status_code == 200
        return len(captured)

    def fill(number: int) -> None:
        now = datetime.now(UTC)
        finals = [
            {"started_at": (now - timedelta(hours=n % 600)).timestamp(), "model": f"m{n % 7}"}
            for n in range(number)
        ]
        key = scene.key.api_key
        posting.post(
            [
                make_final(
                    account_id=key.account_id, api_key_id=key.pk, end_user=f"u{n % 9}", **fields
                )
                for n, fields in enumerate(finals)
            ]
        )

    fill(10)
    queries()  # the first request of a session writes that there is one
    few = queries()
    fill(1100)
    many = queries()

    assert UsageHour.objects.filter(account_id=scene.key.account.pk).count() >= 1000
    assert few == many <= 12
