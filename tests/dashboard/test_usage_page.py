"""The Usage page: sums of the period that the URL names, and a clear word where it names none."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.dashboard.conftest import Scene, text_of
from tests.dashboard.test_logs import ids_on
from tests.people import make_key
from usage.models import EndUserHour


def drawn(client: Client, query: str) -> dict[str, object]:
    """What the chart of the page draws."""
    page = client.get(f"/usage?{query}").content.decode()
    found = re.search(r'<script id="chart-data"[^>]*>(.*?)</script>', page)
    assert found
    chart: dict[str, object] = json.loads(found[1])
    return chart


def at(ago: timedelta) -> dict[str, float]:
    return {"started_at": (timezone.now() - ago).timestamp()}


def test_a_colleague_sees_what_the_owner_sees_and_a_stranger_nothing(scene: Scene) -> None:
    scene.call(model="secret-model", completion_tokens=500)

    assert "secret-model" in text_of(scene.owner.get("/usage"))
    assert "secret-model" in text_of(scene.colleague.get("/usage"))
    assert "secret-model" not in text_of(scene.stranger.get("/usage"))
    assert "No requests in this period" in text_of(scene.stranger.get("/usage"))


def test_a_period_holds_what_happened_in_it(scene: Scene) -> None:
    for days in (0, 2, 10, 29):
        scene.call(**at(timedelta(days=days, minutes=1)))

    counted = {
        name: scene.owner.get(f"/usage?range={name}").context["totals"].requests
        for name in ("1h", "24h", "7d", "30d")
    }

    assert counted == {"1h": 1, "24h": 1, "7d": 2, "30d": 4}


def test_a_period_of_ones_own_can_be_shared(scene: Scene) -> None:
    scene.call(**at(timedelta(days=3)))
    start, end = timezone.now() - timedelta(days=4), timezone.now() - timedelta(days=2)

    answer = scene.colleague.get(f"/usage?start={start:%Y-%m-%dT%H:%M}&end={end:%Y-%m-%dT%H:%M}")

    assert answer.context["totals"].requests == 1
    assert f"{start:%Y-%m-%dT%H:%M}" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("range=2w", "There is no range “2w”."),
        ("by=money", "Usage cannot be broken down by “money”."),
        ("show=money", "The chart cannot show “money”."),
        ("zone=Europe/Atlantis", "There is no time zone “Europe/Atlantis”."),
        ("key=none", "Enter a whole number."),
        ("start=yesterday", "Enter a valid date/time."),
        ("end=2026-01-01", "Say from when, too."),
        ("start=2026-02-01&end=2026-01-01", "The beginning must come before the end."),
        ("start=2024-01-01&end=2026-01-01", "At most 366 days can be shown at once."),
        ("start=0001-01-01T00:00%2B23:59", "There is nothing to show before 2020"),
        ("start=2026-01-01&end=9999-12-31T23:59-23:59", "There is nothing to show before 2020"),
        ("start=2400-01-01", "The beginning must come before the end."),
    ],
)
def test_a_period_that_makes_no_sense_is_explained_and_the_last_day_shown(
    scene: Scene, query: str, complaint: str
) -> None:
    scene.call()

    answer = scene.owner.get(f"/usage?{query}")

    assert answer.status_code == 422
    assert complaint in text_of(answer)
    assert answer.context["totals"].requests == 1


def test_the_chart_shows_tokens_or_requests_with_their_unit(scene: Scene) -> None:
    scene.calls(2, model="a", prompt_tokens=5, completion_tokens=15)

    tokens, requests = (
        drawn(scene.owner, "range=24h"),
        drawn(scene.owner, "range=24h&show=requests"),
    )

    assert (tokens["unit"], requests["unit"]) == ("tokens", "requests")
    assert [sum(series["values"]) for series in tokens["series"]] == [40]  # type: ignore[attr-defined]
    assert [sum(series["values"]) for series in requests["series"]] == [2]  # type: ignore[attr-defined]


def test_the_numbers_of_the_chart_are_on_the_page_too(scene: Scene) -> None:
    scene.call(model="a", prompt_tokens=5, completion_tokens=1_229)
    hour = timezone.now().replace(minute=0)

    page = text_of(scene.owner.get("/usage"))

    assert "Show as table" in page
    assert "1,234" in page
    assert f"{hour:%H}:00" in page


def test_keys_go_by_their_names(scene: Scene) -> None:
    other = make_key(scene.key.account).api_key
    other.name = "Night job"
    other.save()
    scene.call(api_key_id=other.pk, completion_tokens=100)
    scene.call(api_key_id=10**6, completion_tokens=50)

    rows = scene.owner.get("/usage?by=key").context["rows"]

    assert [row.name for row in rows] == ["Night job", "a deleted key"]


def test_rates_and_durations_are_told(scene: Scene) -> None:
    scene.calls(98, latency_ms=240, ttft_ms=90)
    scene.call(outcome="upstream_error", status_code=503)
    scene.call(outcome="refused", status_code=429, lease="")

    answer = scene.owner.get("/usage")
    page = text_of(answer)

    assert "Errors 1.0 % 1 failed here" in page
    assert "Refused 1.0 % 1 met a limit" in page
    assert 200 < answer.context["speed"].latency.p99 < 300
    assert 75 < answer.context["speed"].first_token.median < 105


def test_each_reason_leads_to_the_requests_that_had_it(scene: Scene) -> None:
    refused = {"outcome": "refused", "status_code": 429, "lease": ""}
    wanted = scene.call(**refused, error_code="tokens_per_day_exceeded")
    scene.call(**refused, error_code="rate_limited")

    page = scene.owner.get("/usage?range=7d").content.decode()
    link = re.search(r'href="(/logs\?[^"]+error=tokens_per_day_exceeded)"', page)

    assert link
    assert ids_on(scene.owner.get(link[1].replace("&amp;", "&")).content) == [wanted]


def test_twenty_rows_are_shown_and_all_when_somebody_asks(scene: Scene) -> None:
    for number in range(25):
        scene.call(end_user=f"user-{number:02}", completion_tokens=100 - number)

    few, every = (scene.owner.get(f"/usage?by=user{more}") for more in ("", "&all=1"))

    assert "user-19" in text_of(few)
    assert "user-20" not in text_of(few)
    assert "Show all 25" in text_of(few)
    assert "user-24" in text_of(every)


def test_users_who_are_not_kept_apart_come_last_and_in_no_colour(scene: Scene) -> None:
    scene.calls(2, end_user="alice", completion_tokens=10)
    nameless = {"hour": EndUserHour.objects.get().hour, "name": "", "requests": 9, "api_key_id": 1}
    totals = {"account_id": scene.key.account.pk, "completion_tokens": 900}
    EndUserHour.objects.create(**nameless, **totals)

    page = scene.owner.get("/usage?by=user")

    assert page.context["rows"][-1].name == "smaller users (not listed)"
    assert "smaller" not in str([series.name for series in page.context["chart"].series])


def test_a_link_from_a_sum_leads_to_its_requests(scene: Scene) -> None:
    scene.call(model="a b/c&d")

    page = scene.owner.get("/usage?range=7d").content.decode()

    [link] = set(re.findall(r'href="(/logs\?range=7d&amp;model=[^"]+)"', page))
    assert "a b/c&amp;d" in scene.owner.get(link.replace("&amp;", "&")).content.decode()
