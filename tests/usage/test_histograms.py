"""Durations can be added up hour by hour and still tell their percentiles."""

from hypothesis import given
from hypothesis import strategies as st

from usage.histograms import BUCKETS, add, bounds, bucket, count, percentile

durations = st.lists(st.integers(0, 10**6), min_size=1)


def counted(durations: list[int]) -> list[int]:
    histogram: list[int] = []
    for duration in durations:
        count(histogram, duration)
    return histogram


@given(st.integers(0, 10**6))
def test_a_duration_lies_in_its_bucket(duration: int) -> None:
    lower, upper = bounds(bucket(duration))

    assert lower * 0.999 <= duration <= upper * 1.001


def test_buckets_have_an_end() -> None:
    assert bucket(2**62) == BUCKETS - 1
    assert bucket(-5) == 0


@given(durations, durations)
def test_adding_histograms_is_counting_everything(one: list[int], other: list[int]) -> None:
    assert add(counted(one), counted(other)) == counted(one + other)


@given(durations, st.floats(0.01, 1))
def test_a_percentile_is_right_to_within_a_bucket(values: list[int], fraction: float) -> None:
    found = percentile(counted(values), fraction)

    rank = min(len(values) - 1, max(0, round(fraction * len(values) + 0.5) - 1))
    around = sorted(values)[max(0, rank - 1) : rank + 2]
    assert found is not None
    assert bounds(bucket(min(around)))[0] <= found <= bounds(bucket(max(around)))[1]


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.5) is None
    assert percentile([0, 0], 0.5) is None
