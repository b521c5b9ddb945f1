"""A forecast goes by the shape of the day and by how busy it is; over too little it is silent."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from math import cos, pi
from statistics import median

import pytest

from dashboard.forecast import HOUR, Past

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
TOMORROW = MIDNIGHT + timedelta(days=1)


def past(*hours: int, now: datetime, calls: int = 10) -> Past:
    return Past(hours, [calls if used else 0 for used in hours], now)


def test_without_days_to_compare_with_it_goes_on_as_lately() -> None:
    now = MIDNIGHT + timedelta(hours=12, minutes=30)

    forecast = past(0, 0, 0, 0, 1000, 1000, 500, now=now).runs_out(2000, TOMORROW)

    assert forecast
    assert forecast.at == now + timedelta(hours=2)
    assert forecast.margin == timedelta(0)


def test_a_day_that_is_always_quiet_at_night_is_known_to_be() -> None:
    by_day = [0] * 8 + [1000] * 10 + [0] * 6
    now = MIDNIGHT + timedelta(hours=17)
    hours = past(*by_day * 7, *by_day[:17], 0, now=now)

    assert hours.runs_out(1500, TOMORROW) is None
    enough = hours.runs_out(500, TOMORROW)
    assert enough
    assert enough.at == now + timedelta(minutes=30)


def test_a_busier_day_than_usual_runs_out_earlier() -> None:
    now = MIDNIGHT + timedelta(hours=12)
    hours = past(*[1000] * 24 * 7, *[3000] * 12, 0, now=now)

    forecast = hours.runs_out(6000, TOMORROW)

    assert forecast
    assert abs(forecast.at - (now + timedelta(hours=2))) < timedelta(minutes=20)


@pytest.mark.parametrize(
    "few",
    [
        past(now=MIDNIGHT + HOUR),
        past(0, 0, 0, now=MIDNIGHT + HOUR),
        past(0, 0, 900, now=MIDNIGHT + timedelta(minutes=5)),
        past(0, 0, 900, now=MIDNIGHT + timedelta(minutes=40), calls=4),
    ],
)
def test_over_too_little_data_nothing_is_said(few: Past) -> None:
    assert few.runs_out(10, TOMORROW) is None
    assert few.runs_out_in_days(10, TOMORROW) is None


def test_what_lasts_until_it_begins_anew_is_not_forecast() -> None:
    now = MIDNIGHT + timedelta(hours=12)

    assert past(*[1000] * 40, now=now).runs_out(10**6, TOMORROW) is None


def test_a_month_goes_by_the_last_days_and_not_by_the_last_hours() -> None:
    now = MIDNIGHT + timedelta(hours=12)
    hours = past(*[100] * 24 * 10, *[5000] * 2, 0, now=now)

    forecast = hours.runs_out_in_days(24_000, MIDNIGHT + timedelta(days=30))

    assert forecast
    assert timedelta(days=3) < forecast.at - now < timedelta(days=10)


def days(dice: random.Random) -> list[int]:
    """Two weeks of hours with a shape, and some busier days than others."""
    hours: list[int] = []
    for _ in range(15):
        busy = dice.uniform(0.6, 1.6)
        for hour in range(24):
            usual = 10_000 * (1.1 - cos(2 * pi * (hour - 3) / 24))
            hours.append(round(usual * busy * dice.gauss(1, 0.1)))
    return hours


def errors(dice: random.Random) -> Iterator[float]:
    """How wrong a forecast was when half to nine tenths of a day's limit were used."""
    hours = days(dice)
    used = list(accumulate(hours[-24:]))
    limit = used[dice.randint(14, 22)]
    end = next(n for n, total in enumerate(used) if total >= limit)
    for now in range(1, end):
        if not 0.5 < used[now - 1] / limit < 0.9:
            continue
        moment = MIDNIGHT + now * HOUR
        so_far = [*hours[:-24], *hours[-24:][:now], 0]
        forecast = Past(so_far, so_far, moment).runs_out(limit - used[now - 1], TOMORROW)
        truth = MIDNIGHT + (end + 1) * HOUR
        if forecast:
            yield abs(forecast.at - truth) / (truth - moment)


def test_on_believable_days_the_median_error_is_below_a_tenth() -> None:
    dice = random.Random(20261123)

    found = [error for _ in range(150) for error in errors(dice)]

    assert len(found) > 300
    assert median(found) < 0.1
