"""Days begin at the viewer's midnight, also where clocks change; and no zone loses a token."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import Chart
from dashboard.ranges import Range
from dashboard.timezones import COOKIE, names
from tests.dashboard.conftest import Scene, text_of
from tests.usage.calls import make_final
from usage import posting

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
HOUR = timedelta(hours=1)


def local(zone: ZoneInfo, *date: int) -> datetime:
    return datetime(*date, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


def hours_of_days(zone: ZoneInfo, start: datetime, end: datetime) -> list[float]:
    beginnings = Range("custom", start, end, zone).beginnings
    ends = [*beginnings[1:], end]
    return [(end - begin) / HOUR for begin, end in zip(beginnings, ends, strict=True)]


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        (BERLIN, (2026, 3, 27), [24, 24, 23, 24]),
        (BERLIN, (2026, 10, 23), [24, 24, 25, 24]),
        (ZoneInfo("America/New_York"), (2026, 10, 30), [24, 24, 25, 24]),
        (ZoneInfo("Africa/Cairo"), (2026, 4, 23), [24, 23, 24, 24]),  # without a midnight
        (ZoneInfo("Australia/Lord_Howe"), (2026, 4, 3), [24, 24, 24.5, 24]),
        (KOLKATA, (2026, 3, 27), [24, 24, 24, 24]),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight(
    zone: ZoneInfo, first: tuple[int, int, int], hours: list[float]
) -> None:
    day = datetime(*first, tzinfo=zone)
    end = (day + timedelta(days=4)).astimezone(UTC)

    assert hours_of_days(zone, day.astimezone(UTC), end) == hours


def test_an_hour_that_comes_twice_has_two_names() -> None:
    period = Range("custom", local(BERLIN, 2026, 10, 25), local(BERLIN, 2026, 10, 26), BERLIN)
    chart = Chart("tokens", "hour", period.beginnings, [], zone=BERLIN)

    assert len(chart.titles) == len(set(chart.titles)) == 25
    assert chart.labels[1:5] == ["01:00", "02:00", "02:00", "03:00"]
    assert chart.titles[2:4] == ["Sun 25 Oct, 02:00 CEST–02:00 CET", "Sun 25 Oct, 02:00–03:00 CET"]


@given(
    zone=st.sampled_from(names()).map(ZoneInfo),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    hours=st.integers(1, 24 * 60),
)
def test_steps_follow_each_other_from_the_start_to_the_end(
    zone: ZoneInfo, start: datetime, hours: int
) -> None:
    period = Range("custom", start, start + hours * HOUR, zone).by_the_hour

    beginnings = period.beginnings

    assert beginnings[0] == period.start
    assert beginnings == sorted(set(beginnings))
    assert beginnings[-1] < period.end
    for begin in beginnings[1:]:
        if period.step == "day":
            before = begin - timedelta(microseconds=1)
            assert begin.astimezone(zone).date() > before.astimezone(zone).date()


def post(scene: Scene, *moments: datetime) -> None:
    key = scene.key.api_key
    posting.post(
        [
            make_final(
                account_id=key.account_id,
                api_key_id=key.pk,
                started_at=moment.timestamp(),
                prompt_tokens=1000 + n,
            )
            for n, moment in enumerate(moments)
        ]
    )


def by_step(scene: Scene, query: str) -> dict[str, int]:
    chart = scene.owner.get(f"/usage?{query}&show=requests").context["chart"]
    return {title: total for title, _, total in reversed(chart.table) if total}


def test_calls_are_counted_on_the_viewers_day(scene: Scene) -> None:
    midnight = local(BERLIN, 2026, 10, 25)
    post(scene, midnight - HOUR, midnight, midnight + 24 * HOUR, midnight + 25 * HOUR)
    query = "start=2026-10-22T00:00&end=2026-10-28T00:00"

    assert by_step(scene, f"{query}&zone=Europe/Berlin") == {
        "Sat 24 Oct 2026 CEST": 1,
        "Sun 25 Oct 2026 CEST": 2,
        "Mon 26 Oct 2026 CET": 1,
    }
    assert sum(by_step(scene, f"{query}&zone=Asia/Kolkata").values()) == 4
    assert sum(by_step(scene, f"{query}&zone=America/New_York").values()) == 4


def test_where_midnight_falls_within_an_hour_the_page_says_where_that_counts(scene: Scene) -> None:
    midnight = local(KOLKATA, 2026, 10, 25)
    post(scene, midnight - HOUR, midnight - HOUR / 4, midnight + HOUR / 4, midnight + HOUR)
    query = "start=2026-10-22T00:00&end=2026-10-28T00:00&zone=Asia/Kolkata"

    assert by_step(scene, query) == {"Sat 24 Oct 2026 IST": 3, "Sun 25 Oct 2026 IST": 1}
    assert "midnight in Asia/Kolkata falls within one" in text_of(
        scene.owner.get(f"/usage?{query}")
    )


def test_the_browsers_zone_is_used_and_shown(scene: Scene) -> None:
    scene.owner.cookies[COOKIE] = "Asia/Kolkata"

    answer = scene.owner.get("/usage?start=2026-10-22T00:00&end=2026-10-23T00:00")

    assert answer.context["period"].end == local(KOLKATA, 2026, 10, 23)
    assert "in Asia/Kolkata" in text_of(answer)
    assert 'value="2026-10-22T00:00"' in answer.content.decode()
    assert '<option value="Asia/Kolkata" selected>' in answer.content.decode()


@pytest.mark.parametrize(
    "cookie", ["", "Mars/Olympus", "../../etc/passwd", "posixrules", "é", "x" * 999]
)
def test_a_zone_that_does_not_exist_is_utc(scene: Scene, cookie: str) -> None:
    scene.owner.cookies[COOKIE] = cookie

    assert str(scene.owner.get("/usage").context["period"].zone) == "UTC"


def test_a_link_means_the_same_moments_to_everybody(scene: Scene) -> None:
    scene.owner.cookies[COOKIE] = "Asia/Kolkata"
    period = scene.owner.get("/usage?start=2026-10-22T00:00&end=2026-10-23T00:00").context["period"]

    elsewhere = scene.colleague.get(f"/usage?{period.query}").context["period"]

    assert (elsewhere.start, elsewhere.end) == (period.start, period.end)


def test_zones_are_not_looked_for_in_the_file_system() -> None:
    assert not any(Path(name).is_absolute() or ".." in name for name in names())
