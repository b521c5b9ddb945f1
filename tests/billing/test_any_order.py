"""B-1: however often and in whatever order Stripe speaks, we end up where Stripe is."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from billing import price_sync
from tests.billing.histories import PLANS, Life
from tests.billing.in_process import InProcessServer
from tests.billing.paying import make_plans

SLUGS = st.sampled_from(sorted(PLANS))
STEPS = st.one_of(
    st.tuples(st.just("subscribe"), st.tuples(SLUGS, st.booleans())),
    st.tuples(st.just("subscribe"), st.tuples(SLUGS, st.just(True))),
    st.tuples(st.just("advance"), st.integers(1, 40 * 24)),
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


@pytest.fixture
def stripe(db: None, settings: Any) -> InProcessServer:
    """A Stripe in this very process, and our plans."""
    server = InProcessServer()
    settings.STRIPE = server.access
    make_plans()
    price_sync.sync()
    server.remember()
    return server


def undone(
    stripe: InProcessServer, history: list[tuple[str, Any]], seed: int | None
) -> dict[str, Any]:
    """What comes of a history; afterwards the database is as it was before."""
    with transaction.atomic():
        life = Life(stripe, seed).live(history)
        life.check_against_stripe()
        ours = life.ours
        event(f"ends on {ours['plan']}, {ours['status']}")
        transaction.set_rollback(True)
    return ours


def check(stripe: InProcessServer, history: list[tuple[str, Any]], seed: int) -> None:
    assert undone(stripe, history, seed) == undone(stripe, history, None)


@given(history=HISTORIES, seed=st.integers(0, 2**32))
@examples(max_examples=20, derandomize=True, **BY_HYPOTHESIS)  # type: ignore[arg-type]
def test_any_order_leads_to_the_state_of_stripe(
    stripe: InProcessServer, history: list[tuple[str, Any]], seed: int
) -> None:
    check(stripe, history, seed)


@pytest.mark.t2
@pytest.mark.parametrize("part", range(16))
@given(history=HISTORIES, seed=st.integers(0, 2**32))
@examples(max_examples=625, **BY_HYPOTHESIS)  # type: ignore[arg-type]
def test_any_order_of_ten_thousand_histories_leads_to_the_state_of_stripe(
    stripe: InProcessServer, part: int, history: list[tuple[str, Any]], seed: int
) -> None:
    check(stripe, history, seed)
