"""The arithmetic of the simulation, by its own examples and by a second opinion."""

import doctest
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.simulated import events, parameters
from billing.simulated.objects import calendar


@pytest.mark.parametrize("module", [calendar, events, parameters])
def test_the_examples_in_the_code_are_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@given(st.integers(0, 10**7), st.integers(1, 400 * calendar.DAY), st.floats(-0.5, 1.5))
def test_a_share_is_exact_to_half_a_cent_and_never_more_than_all(
    amount: int, length: int, at: float
) -> None:
    moment = int(length * at)

    share = calendar.share(amount, 0, length, moment)

    left = Fraction(min(max(length - moment, 0), length), length)
    assert abs(share - amount * left) <= Fraction(1, 2)
    assert 0 <= share <= amount


@given(st.integers(0, 4 * 10**9), st.sampled_from([1, 3, 12]))
def test_periods_follow_each_other_and_never_stand_still(anchor: int, months: int) -> None:
    start = anchor
    for number in range(1, 14):
        end = calendar.period_end(anchor, months, start)

        assert end == calendar.months_later(anchor, number * months) > start
        start = end
