"""One script decides: a refusal changes nothing, a reservation is settled once, nothing is lost."""

import asyncio
from datetime import UTC, datetime
from itertools import combinations

import pytest

from billing.limits import NAMES
from gateway.admission import Spent
from gateway.limits import Cold, Limiter, Stale
from gateway.redis_link import RedisLink
from tests.gateway.limiting import NOTHING, PLENTY, ask, counted, numbers, policy_of, restored

pytestmark = pytest.mark.anyio
EITHER = [("account", name) for name in NAMES] + [("key", name) for name in NAMES]
SUBSETS = [chosen for size in range(1, 13) for chosen in combinations(EITHER, size)]


async def test_a_refused_request_changes_no_counter_whatever_it_exceeds(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    await ask(limiter, account_id, policy_of(PLENTY, PLENTY), tokens=7)
    before = await counted(limiter, account_id)

    for exceeded in SUBSETS:
        account = PLENTY | {name: 1 for scope, name in exceeded if scope == "account"}
        own = PLENTY | {name: 1 for scope, name in exceeded if scope == "key"}
        decision, _ = await ask(limiter, account_id, policy_of(account, own), tokens=3)
        assert [(use.scope, use.name) for use in decision.refused_by] == sorted(
            exceeded, key=EITHER.index
        )

    assert len(SUBSETS) == 4095
    assert await counted(limiter, account_id) == before


async def test_what_a_key_with_limits_uses_counts_for_its_account_too(limiter: Limiter) -> None:
    account_id = await restored(limiter)

    await ask(limiter, account_id, policy_of(PLENTY), tokens=5)
    await ask(limiter, account_id, policy_of(PLENTY, PLENTY), tokens=7)

    found = await counted(limiter, account_id)
    assert (found["account tokens_per_day"], found["key tokens_per_day"]) == (12, 7)
    assert (found["account requests_per_minute"], found["key requests_per_minute"]) == (2, 1)


async def test_what_was_not_used_is_given_back_once(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    _, lease = await ask(limiter, account_id, policy_of(PLENTY, PLENTY), tokens=100)

    for _ in range(3):
        limiter.settle(account_id, lease, 30)
        await limiter.settled()

    found = await counted(limiter, account_id)
    assert {found[f"{scope} {name}"] for scope, name in EITHER if "tokens" in name} == {30}
    assert {found[f"{scope} {name}"] for scope, name in EITHER if "requests" in name} == {1}


async def test_five_that_together_ask_for_too_much_share_what_there_is(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    policy = policy_of({"tokens_per_minute": 100})

    answers = await asyncio.gather(*[ask(limiter, account_id, policy, tokens=30) for _ in range(5)])

    assert sum(decision.admitted for decision, _ in answers) == 3


async def test_a_rehearsal_says_what_would_be_and_changes_nothing(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    policy = policy_of({"tokens_per_day": 100}, {"requests_per_day": 9})
    await ask(limiter, account_id, policy, tokens=30)
    before = await counted(limiter, account_id)

    would = await limiter.rehearse(account_id, 1, policy, tokens=60)
    would_not = await limiter.rehearse(account_id, 1, policy, tokens=71)

    assert would.admitted
    assert would.passes_at == would.now
    assert [(use.used, use.asked, use.remaining) for use in would.uses] == [(30, 60, 10), (1, 1, 7)]
    assert [use.name for use in would_not.refused_by] == ["tokens_per_day"]
    assert would_not.uses[0].remaining == 70
    assert would_not.passes_at == would_not.uses[0].reset
    assert await counted(limiter, account_id) == before


async def test_what_a_decision_tells_of_a_limit_is_what_was_before_and_what_is_after(
    limiter: Limiter,
) -> None:
    account_id = await restored(limiter)
    policy = policy_of(
        {"tokens_per_minute": 100, "soft_tokens_per_day": 50}, {"tokens_per_day": 70}
    )

    first, _ = await ask(limiter, account_id, policy, tokens=60)
    second, _ = await ask(limiter, account_id, policy, tokens=30)

    seen = [(u.scope, u.name, u.used, u.asked, u.remaining, u.exceeded) for u in first.uses]
    assert seen == [
        ("account", "tokens_per_minute", 0, 60, 40, False),
        ("account", "soft_tokens_per_day", 0, 60, 0, True),
        ("key", "tokens_per_day", 0, 60, 10, False),
    ]
    assert not second.admitted
    assert second.refusal().message.startswith("Rate limit reached: this API key allows 70 tokens")


async def test_a_caller_that_knows_too_little_learns_it(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    await ask(limiter, account_id, policy_of(PLENTY), epoch=3)

    with pytest.raises(Stale):
        await ask(limiter, account_id, policy_of(PLENTY), epoch=2)
    with pytest.raises(Cold):
        await ask(limiter, next(numbers), policy_of(PLENTY))


async def test_what_was_used_while_the_connection_broke_is_settled_all_the_same(
    limiter: Limiter, link: RedisLink
) -> None:
    account_id, colleague = await restored(limiter), await restored(limiter)
    _, lease = await ask(limiter, account_id, policy_of(PLENTY), tokens=1000)
    _, colleagues = await ask(limiter, colleague, policy_of(PLENTY), tokens=1000)

    limiter.settle(account_id, lease, 7)
    await asyncio.sleep(0)  # it is on its way
    await link.close()
    limiter.settle(colleague, colleagues, 8)
    await limiter.settled()

    assert (await counted(limiter, account_id))["account tokens_per_minute"] == 7
    assert (await counted(limiter, colleague))["account tokens_per_minute"] == 8


async def test_a_server_that_forgot_the_script_is_given_it_again(
    limiter: Limiter, link: RedisLink
) -> None:
    account_id = await restored(limiter)

    await link.command("SCRIPT", "FLUSH")
    decision, lease = await ask(limiter, account_id, policy_of(PLENTY), tokens=1000)
    await link.command("SCRIPT", "FLUSH")
    limiter.settle(account_id, lease, 7)
    await limiter.settled()

    assert decision.admitted
    assert (await counted(limiter, account_id))["account tokens_per_minute"] == 7


async def test_a_request_that_was_given_up_while_it_asked_does_not_count(limiter: Limiter) -> None:
    account_id = await restored(limiter)
    before = await counted(limiter, account_id)

    asking = asyncio.create_task(ask(limiter, account_id, policy_of(PLENTY, PLENTY)))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    await limiter.settled()

    assert asking.cancelled()
    assert await counted(limiter, account_id) == before


async def test_counters_are_restored_once_and_then_left_alone(limiter: Limiter) -> None:
    account_id = await restored(limiter, Spent(3, 400, 5, 600))
    await ask(limiter, account_id, policy_of(PLENTY), tokens=10)

    await limiter.restore(account_id, 1, datetime.now(UTC), {"": NOTHING})

    found = await counted(limiter, account_id)
    assert (found["account requests_per_day"], found["account tokens_per_day"]) == (4, 410)
    assert (found["account requests_per_month"], found["account tokens_per_month"]) == (6, 610)


async def test_more_than_the_limit_itself_can_never_pass_and_says_so(limiter: Limiter) -> None:
    account_id = await restored(limiter)

    decision, _ = await ask(limiter, account_id, policy_of({"tokens_per_minute": 50}), tokens=51)

    refusal = decision.refusal()
    assert decision.passes_at is None
    assert refusal.code == "request_exceeds_limit"
    assert refusal.should_retry is False
    assert refusal.retry_after is None
