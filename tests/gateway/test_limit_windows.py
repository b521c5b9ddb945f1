"""No interval holds more than its limit, and whoever does as the headers say is never refused."""

import random
from collections.abc import Iterator

import pytest

from gateway.months import DAY
from tests.gateway.limiting import OWN, PLENTY, Bench, numbers, policy_of

NOON = 1_798_804_800  # of a first of January
LIMIT = 60


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(NOON)
    yield bench
    bench.close()


@pytest.mark.parametrize("scope", ["account", "key"])
def test_no_sixty_seconds_of_ten_minutes_at_five_times_the_load_hold_more(
    bench: Bench, scope: str
) -> None:
    limit = {"requests_per_minute": LIMIT}
    policy = policy_of(limit) if scope == "account" else policy_of(PLENTY, limit)
    choose = random.Random(4)
    moments = sorted(choose.uniform(0, 600) for _ in range(10 * 5 * LIMIT))

    admitted = []
    for moment in moments:
        bench.turn_to(NOON + int(moment))
        if bench.ask(policy).admitted:
            admitted.append(moment)

    within = [sum(start <= m < start + 60 for m in admitted) for start in admitted]
    assert max(within) == LIMIT
    assert len(admitted) >= 9 * LIMIT


@pytest.mark.parametrize("window", ["minute", "day", "month"])
@pytest.mark.parametrize("unit", ["requests", "tokens"])
def test_the_moment_a_refusal_names_is_the_first_at_which_the_request_passes(
    bench: Bench, unit: str, window: str
) -> None:
    policy = policy_of({f"{unit}_per_{window}": 40 if unit == "tokens" else 4})
    for second in (0, 0, 3, 9):
        bench.turn_to(NOON + second)
        lease = policy.lease(f"req_{next(numbers)}", 10)
        assert bench.ask(policy, 10, lease=lease).admitted
        bench.settle(lease, 10)

    refused = bench.ask(policy, 15)
    passes_at = refused.passes_at
    assert passes_at is not None
    bench.turn_to(passes_at - 1)
    too_early = bench.ask(policy, 15).admitted
    bench.turn_to(passes_at)
    in_time = bench.ask(policy, 15).admitted

    assert not too_early
    assert in_time
    assert refused.refusal().retry_after == passes_at - refused.now
    assert refused.refusal().should_retry is (None if window == "minute" else False)
    assert refused.uses[0].reset == passes_at


def test_a_client_that_does_as_the_headers_say_is_never_refused(bench: Bench) -> None:
    policy = policy_of({"requests_per_minute": 20, "tokens_per_minute": 300})
    choose = random.Random(5)
    now, served = NOON, 0

    while now < NOON + 600:
        bench.turn_to(now)
        decision = bench.ask(policy, 10)
        assert decision.admitted
        served += 1
        headers = dict(decision.headers)
        waits = [0]
        for unit, wanted in ((b"requests", 1), (b"tokens", 10)):
            if int(headers[b"x-ratelimit-remaining-" + unit]) < wanted:
                waits.append(int(headers[b"x-ratelimit-reset-" + unit]) - now)
        now += max(waits) or choose.choice([0, 0, 1])

    assert served >= 9 * 20


def test_a_clock_that_is_set_back_neither_frees_nor_blocks(bench: Bench) -> None:
    policy = policy_of({"requests_per_minute": 3, "requests_per_day": 100})
    assert [bench.ask(policy).admitted for _ in range(4)] == [True, True, True, False]

    bench.turn_to(NOON - 3600)
    at_once = bench.ask(policy).admitted
    bench.turn_to(NOON - 3600 + 61)
    later = [bench.ask(policy).admitted for _ in range(4)]
    bench.turn_to(NOON + 3600)
    when_it_is_that_late_again = [bench.ask(policy) for _ in range(4)]

    assert not at_once
    assert later == [True, True, True, False]
    assert [one.admitted for one in when_it_is_that_late_again] == [True, True, True, False]
    assert when_it_is_that_late_again[3].uses[1].used == 9


def test_a_day_that_comes_again_is_not_given_again(bench: Bench) -> None:
    policy = policy_of({"requests_per_day": 3})
    bench.turn_to(NOON + DAY)
    for _ in range(3):
        bench.ask(policy)

    bench.turn_to(NOON + DAY - 13 * 3600)  # the day before
    before_midnight = bench.ask(policy).admitted
    bench.turn_to(NOON + DAY)
    after = bench.ask(policy).admitted

    assert not before_midnight
    assert not after


def test_a_reservation_that_nobody_settles_is_given_back_after_its_lease(bench: Bench) -> None:
    policy = policy_of({"tokens_per_day": 100}, {"tokens_per_day": 100})
    assert bench.ask(policy, 90).admitted

    bench.turn_to(NOON + 659)
    still_held = bench.ask(policy, 90).admitted
    bench.turn_to(NOON + 660)
    given_back = bench.ask(policy, 90)

    assert not still_held
    assert given_back.admitted
    assert {use.used for use in given_back.uses} == {0}


def test_a_key_that_is_limited_anew_begins_with_what_the_books_know(bench: Bench) -> None:
    limits = {"requests_per_day": 5}
    bench.ask(policy_of(PLENTY, limits))
    lease = f"req_{next(numbers)}|10|k7.2"

    reply = bench.run("admit", 1, lease, 10, *anew(policy_of(PLENTY, limits).words))

    assert reply == [b"cold"]


def anew(words: list[str | int]) -> list[str | int]:
    return ["k7.2" if word == OWN else word for word in words]
