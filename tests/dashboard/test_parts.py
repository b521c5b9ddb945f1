"""The pure parts of the pages: charts, meters, forecasts, words; and what templates may hold."""

import doctest
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import changes, charts, csv_download, today
from dashboard.forecast import Forecast
from dashboard.instance import ROOT
from dashboard.standing import Meter, Pace, Standing
from dashboard.templatetags import figures
from gateway.decisions import Use
from gateway.months import DAY
from usage.reports import Totals

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MIDNIGHT = int(NOON.timestamp()) // DAY * DAY + DAY
TEMPLATES = sorted((ROOT / "templates" / "dashboard").glob("*.html"))


def use(used: int, limit: int = 1000, window: str = "day", unit: str = "tokens") -> Use:
    return Use(f"{unit}_per_{window}", limit, used, 0, max(0, limit - used), MIDNIGHT)


@pytest.mark.parametrize("module", [figures, today, changes, csv_download])
def test_what_the_docstrings_show_is_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("used", "limit", "tone", "badge"),
    [
        (0, 1000, "ok", "fine"),
        (799, 1000, "ok", "fine"),
        (800, 1000, "warn", "80 % · running low"),
        (999, 1000, "warn", "99 % · running low"),
        (1000, 1000, "bad", "100 % · used up"),
        (1500, 1000, "bad", "100 % · used up"),
        (0, 0, "bad", "100 % · used up"),
    ],
)
def test_a_meter_says_in_a_word_how_it_stands(used: int, limit: int, tone: str, badge: str) -> None:
    meter = Meter(use(used, limit))

    assert (meter.tone, meter.badge) == (tone, badge)


def test_a_limit_that_will_not_last_is_not_called_fine() -> None:
    meter = Meter(use(100), Forecast(NOON, timedelta(minutes=21)))

    assert (meter.tone, meter.badge, meter.level) == ("warn", "too fast", "ok")
    assert meter.margin == "± 25 min"


def pace(tokens: int, calls: int = 10, now: datetime = NOON + timedelta(minutes=30)) -> Pace:
    """What three hours used, the last of them half over."""
    hour = Totals(admitted=calls, prompt_tokens=tokens)
    return Pace([*[Totals()] * 10, hour, hour, Totals(admitted=calls, prompt_tokens=0)], now)


def test_the_forecast_goes_on_as_lately_until_the_limit_begins_anew() -> None:
    forecast = pace(125).runs_out(use(700))

    assert forecast
    assert forecast.at == NOON + timedelta(minutes=30, hours=3)
    assert pace(125).runs_out(use(0, limit=12_000)) is None
    assert pace(125).runs_out(use(1000)) is None
    assert pace(125).runs_out(use(700, window="minute")) is None
    assert pace(125, calls=1).runs_out(use(700)) is None


@given(used=st.integers(0, 10**18), limit=st.integers(0, 10**18), lately=st.integers(0, 10**12))
def test_a_forecast_lies_between_now_and_the_end_of_the_day(
    used: int, limit: int, lately: int
) -> None:
    forecast = pace(lately).runs_out(use(used, limit))

    assert forecast is None or NOON <= forecast.at < datetime.fromtimestamp(MIDNIGHT, UTC)


def test_the_navigation_shows_the_day_and_what_is_in_danger() -> None:
    day, minute = Meter(use(10)), Meter(use(90, 100, "minute"))

    assert Standing(None, [minute, day]).tightest == [day, minute]
    assert Standing(None, [Meter(use(1, 100, "minute")), day]).tightest == [day]
    assert Standing(None, None).tightest == []


def test_more_than_five_models_share_a_colour() -> None:
    models = {f"model-{n}": Totals(prompt_tokens=n) for n in range(1, 8)}

    chart = charts.stacked({NOON: models}, "tokens", "day")

    assert [series.name for series in chart.series] == [
        *("model-7", "model-6", "model-5", "model-4", "other"),
    ]
    assert [series.colour for series in chart.series] == [1, 2, 3, 4, 5]
    assert chart.series[-1].values == [6]


@given(
    st.dictionaries(
        st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        st.dictionaries(
            st.text(max_size=3), st.builds(Totals, prompt_tokens=st.integers(0, 10**9))
        ),
        max_size=5,
    )
)
def test_a_chart_loses_no_token(over_time: dict[datetime, dict[str, Totals]]) -> None:
    chart = charts.stacked(over_time, "tokens", "day")

    total = sum(sums.tokens for models in over_time.values() for sums in models.values())
    assert sum(series.total for series in chart.series) == total
    assert sum(sum_ for _, _, sum_ in chart.table) == total
    assert len(chart.series) <= 5


def test_a_line_stays_in_its_box() -> None:
    assert charts.sparkline([5]) == ""
    assert charts.sparkline([0, 10]) == "0.0,30.0 200.0,2.0"
    assert charts.sparkline([0, 0]) == "0.0,30.0 200.0,30.0"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_runs_nothing_and_styles_nothing_inline(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]

    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=\"|hx-on|javascript:", text)
    assert text.startswith("{# Context:")
