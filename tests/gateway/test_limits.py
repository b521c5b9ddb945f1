"""Limits are exact, whoever asks at the same time; a refusal changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import combinations, count

import httpx
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from billing.limits import NAMES, parse
from gateway.decisions import Decision, Policy
from gateway.limits import Cold, Limiter, Spent, Stale, lease_for
from gateway.redis_link import RedisLink
from tests.gateway import burst
from tests.gateway.site import Site
from tests.people import make_key

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hi"}]}
PLENTY = dict.fromkeys(NAMES, 10**9)
NOTHING = Spent(0, 0, 0, 0)
accounts = count(10**9)  # ids that no row has


@pytest.fixture
async def link() -> AsyncIterator[RedisLink]:
    link = RedisLink(settings.REDIS_URL)
    yield link
    await link.close()


@pytest.fixture
def limiter(link: RedisLink) -> Limiter:
    return Limiter(link)


async def restored(limiter: Limiter, spent: Spent = NOTHING) -> int:
    """A new account whose counters Redis knows."""
    account_id = next(accounts)
    await limiter.restore(account_id, 1, datetime.now(UTC), spent)
    return account_id


async def ask(
    limiter: Limiter, account_id: int, amounts: dict[str, int], tokens: int = 10, epoch: int = 1
) -> tuple[Decision, str]:
    lease = lease_for(f"req_{next(accounts)}", tokens)
    policy = Policy(parse(amounts))
    decision = await limiter.admit(account_id, epoch, policy, lease=lease, tokens=tokens)
    return decision, lease


async def counters(limiter: Limiter, account_id: int) -> dict[str, int]:
    decision = await limiter.peek(account_id, 1, Policy(parse(PLENTY)))
    return {use.name: use.used for use in decision.uses}


@pytest.mark.t2
def test_two_hundred_at_once_on_a_limit_of_twenty_fifty_times(four_workers: Site) -> None:
    for _ in range(50):
        admit_exactly_twenty(four_workers)


def test_two_hundred_at_once_on_a_limit_of_twenty(four_workers: Site) -> None:
    for _ in range(5):
        admit_exactly_twenty(four_workers)


def admit_exactly_twenty(site: Site) -> None:
    key = make_key(requests_per_minute=20, tokens_per_minute=10**9)

    came = burst.statuses(site.port, burst.request(key.plaintext, HELLO), 200)

    assert came == {200: 20, 429: 180}


SUBSETS = [chosen for size in range(1, 7) for chosen in combinations(NAMES, size)]


@pytest.mark.anyio
@pytest.mark.parametrize("exceeded", SUBSETS, ids="+".join)
async def test_a_refused_request_changes_no_counter(
    limiter: Limiter, exceeded: tuple[str, ...]
) -> None:
    account_id = await restored(limiter)
    await ask(limiter, account_id, PLENTY, tokens=7)
    before = await counters(limiter, account_id)

    decision, _ = await ask(limiter, account_id, PLENTY | dict.fromkeys(exceeded, 1), tokens=3)

    assert not decision.admitted
    assert {use.name for use in decision.uses if use.exceeded} == set(exceeded)
    assert await counters(limiter, account_id) == before


@pytest.mark.anyio
async def test_what_was_not_used_is_given_back_once(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    _, lease = await ask(limiter, account_id, PLENTY, tokens=100)

    for _ in range(3):
        limiter.settle(account_id, lease, 30)
        await limiter.settled()

    assert (await counters(limiter, account_id))["tokens_per_minute"] == 30
    assert (await counters(limiter, account_id))["tokens_per_day"] == 30
    assert (await counters(limiter, account_id))["requests_per_day"] == 1


@pytest.mark.anyio
async def test_five_that_together_ask_for_too_much_share_what_there_is(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    asked = [ask(limiter, account_id, {"tokens_per_minute": 100}, tokens=30) for _ in range(5)]

    decisions = await asyncio.gather(*asked)

    assert sum(decision.admitted for decision, _ in decisions) == 3


@pytest.mark.anyio
async def test_a_caller_that_knows_too_little_learns_it(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    await ask(limiter, account_id, PLENTY, epoch=3)

    with pytest.raises(Stale):
        await ask(limiter, account_id, PLENTY, epoch=2)
    with pytest.raises(Cold):
        await ask(limiter, next(accounts), PLENTY)


@pytest.mark.anyio
async def test_what_was_used_while_the_connection_broke_is_settled_all_the_same(
    limiter: Limiter, link: RedisLink
) -> None:
    account_id, colleague = await restored(limiter), await restored(limiter)
    _, lease = await ask(limiter, account_id, PLENTY, tokens=1000)
    _, colleagues = await ask(limiter, colleague, PLENTY, tokens=1000)

    limiter.settle(account_id, lease, 7)
    await asyncio.sleep(0)  # it is on its way
    await link.close()
    limiter.settle(colleague, colleagues, 8)
    await limiter.settled()

    assert (await counters(limiter, account_id))["tokens_per_minute"] == 7
    assert (await counters(limiter, colleague))["tokens_per_minute"] == 8


@pytest.mark.anyio
async def test_counters_are_restored_once_and_then_left_alone(limiter: Limiter) -> None:
    account_id = await restored(limiter, Spent(3, 400, 5, 600))
    await ask(limiter, account_id, PLENTY, tokens=10)

    await limiter.restore(account_id, 1, datetime.now(UTC), NOTHING)

    found = await counters(limiter, account_id)
    assert (found["requests_per_day"], found["tokens_per_day"]) == (4, 410)
    assert (found["requests_per_month"], found["tokens_per_month"]) == (6, 610)


@pytest.mark.anyio
async def test_more_than_the_limit_itself_can_never_pass_and_says_so(limiter: Limiter) -> None:
    account_id = await restored(limiter)

    decision, _ = await ask(limiter, account_id, {"tokens_per_minute": 50}, tokens=51)

    refusal = decision.refusal()
    assert refusal.code == "request_exceeds_limit"
    assert refusal.should_retry is False
    assert refusal.retry_after is None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 60)),
        st.tuples(st.just("settle"), st.integers(0, 60)),
    ),
    max_size=40,
)


@given(steps=steps)
@hypothesis_settings(max_examples=60, deadline=None)
def test_reserved_and_used_never_exceed_the_limit(steps: list[tuple[str, int]]) -> None:
    """Any order of asking and settling, compared with a model that adds up by hand."""

    async def run() -> None:
        link = RedisLink(settings.REDIS_URL)
        limiter, limit = Limiter(link), 150
        account_id, used = await restored(limiter), 0
        held: list[tuple[str, int]] = []
        for verb, tokens in steps:
            if verb == "ask":
                amounts = {"tokens_per_minute": limit, "tokens_per_day": limit}
                decision, lease = await ask(limiter, account_id, amounts, tokens=tokens)
                assert decision.admitted == (used + tokens <= limit)
                if decision.admitted:
                    held.append((lease, tokens))
                    used += tokens
            elif held:
                lease, reserved = held.pop(0)
                actual = min(tokens, reserved)
                limiter.settle(account_id, lease, actual)
                await limiter.settled()
                used += actual - reserved
            assert (await counters(limiter, account_id))["tokens_per_day"] == used <= limit
        await link.close()

    asyncio.run(run())


def test_headers_are_on_every_answer_and_remaining_counts_down(client: httpx.Client) -> None:
    key = make_key(requests_per_minute=2, tokens_per_minute=10_000, tokens_per_day=20_000)

    answers = [
        client.post("/v1/chat/completions", headers=key.headers, json=HELLO | {"stream": stream})
        for stream in (False, True, False)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    left = [answer.headers["x-ratelimit-remaining-requests"] for answer in answers]
    assert left == ["1", "0", "0"]
    for answer in answers:
        assert answer.headers["x-ratelimit-limit-requests"] == "2"
        assert answer.headers["x-ratelimit-limit-tokens"] == "10000"
        assert answer.headers["x-ratelimit-limit-tokens-day"] == "20000"
        assert int(answer.headers["x-ratelimit-reset-tokens"]) > 1_700_000_000
    refused = answers[2]
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert 1 <= int(refused.headers["retry-after"]) <= 61


def test_the_day_is_a_quota_that_no_sdk_should_hammer(client: httpx.Client) -> None:
    key = make_key(tokens_per_day=300)
    body = HELLO | {"max_tokens": 200}
    assert client.post("/v1/chat/completions", headers=key.headers, json=body).status_code == 200

    refused = client.post(
        "/v1/chat/completions", headers=key.headers, json=HELLO | {"max_tokens": 295}
    )

    assert refused.status_code == 429
    assert refused.headers["x-should-retry"] == "false"
    assert "tokens per day" in refused.json()["error"]["message"]
