"""B-1: however often and in whatever order Stripe speaks, we end up where Stripe is."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.billing.histories import PLANS, Life
from tests.billing.paying import Paying

SLUGS = st.sampled_from(sorted(PLANS))
STEPS = st.one_of(
    st.tuples(st.just("subscribe"), st.tuples(SLUGS, st.booleans())),
    st.tuples(st.just("subscribe"), st.tuples(SLUGS, st.just(True))),
    st.tuples(st.just("advance"), st.floats(0.01, 40).map(lambda days: round(days, 2))),
    st.tuples(st.just("card"), st.sampled_from(["accepted", "card_declined"])),
    st.tuples(st.just("change"), SLUGS),
    st.tuples(st.just("cancel"), st.sampled_from(["now", "later", "not"])),
    st.tuples(st.just("settle"), st.none()),
    st.tuples(st.just("refund"), st.integers(1, 3)),
    st.tuples(st.just("dispute"), st.sampled_from([None, True, False])),
)
HISTORIES = st.lists(STEPS, min_size=1, max_size=9)
BY_HYPOTHESIS = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}


def undone(paying: Paying, history: list[tuple[str, Any]], seed: int | None) -> dict[str, Any]:
    """What comes of a history; afterwards the database is as it was before."""
    with transaction.atomic():
        life = Life(paying.server, seed).live(history)
        life.check_against_stripe()
        ours = life.ours
        event(f"ends on {ours['plan']}, {ours['status']}")
        transaction.set_rollback(True)
    return ours


def check(paying: Paying, history: list[tuple[str, Any]], seed: int) -> None:
    assert undone(paying, history, seed) == undone(paying, history, None)


@given(history=HISTORIES, seed=st.integers(0, 2**32))
@settings(max_examples=60, derandomize=True, **BY_HYPOTHESIS)  # type: ignore[arg-type]
def test_any_order_leads_to_the_state_of_stripe(
    paying: Paying, history: list[tuple[str, Any]], seed: int
) -> None:
    check(paying, history, seed)


@pytest.mark.t2
@given(history=HISTORIES, seed=st.integers(0, 2**32))
@settings(max_examples=10_000, **BY_HYPOTHESIS)  # type: ignore[arg-type]
def test_any_order_of_ten_thousand_histories_leads_to_the_state_of_stripe(
    paying: Paying, history: list[tuple[str, Any]], seed: int
) -> None:
    check(paying, history, seed)
