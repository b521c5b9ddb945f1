"""A route that keeps failing is left alone by every process, and tried again by one."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway import breakers
from gateway.breakers import FAILURES, OPEN_FOR, Breakers
from gateway.redis_link import RedisLink
from tests.gateway.scripted import scripted_provider
from tests.gateway.site import Site
from tests.gateway.test_bad_input import check
from tests.people import make_key

pytestmark = pytest.mark.anyio
ROUTE = 7
ANSWER = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}


@pytest.fixture
async def two() -> AsyncIterator[tuple[Breakers, Breakers]]:
    """Two processes, as Redis sees them."""
    links = [RedisLink(settings.REDIS_URL) for _ in range(2)]
    yield Breakers(links[0]), Breakers(links[1])
    for link in links:
        await link.close()


async def open_until(moment: float, *known_to: Breakers) -> None:
    """As if the route had been opened for so long."""
    link = RedisLink(settings.REDIS_URL)
    await link.command("HSET", breakers.KEY, ROUTE, f"{moment:.3f}")
    await link.close()
    for each in known_to:
        await each.refresh()


async def test_five_failures_in_a_row_open_a_route_for_everybody(
    two: tuple[Breakers, Breakers],
) -> None:
    here, there = two
    for _ in range(FAILURES - 1):
        here.failed(ROUTE)
    assert await here.enter(ROUTE)

    here.failed(ROUTE)
    await here.refresh()
    await there.refresh()

    assert not await here.enter(ROUTE)
    assert not await there.enter(ROUTE)
    assert OPEN_FOR - 1 < there.waits(ROUTE) <= OPEN_FOR
    assert await there.enter(ROUTE + 1)


async def test_a_success_in_between_begins_the_count_anew(two: tuple[Breakers, Breakers]) -> None:
    here, _ = two
    for _ in range(3):
        for _ in range(FAILURES - 1):
            here.failed(ROUTE)
        here.succeeded(ROUTE)

    assert await here.enter(ROUTE)


async def test_one_caller_of_all_tries_a_route_whose_time_is_over(
    two: tuple[Breakers, Breakers],
) -> None:
    here, there = two
    await open_until(time.time() - 1, here, there)

    entered = await asyncio.gather(*(each.enter(ROUTE) for each in two for _ in range(5)))

    assert sum(entered) == 1


async def test_the_try_closes_the_route_for_everybody_or_opens_it_again(
    two: tuple[Breakers, Breakers],
) -> None:
    here, there = two
    await open_until(time.time() - 1, here, there)

    assert await here.enter(ROUTE)
    here.failed(ROUTE)
    await here.refresh()
    await there.refresh()
    assert there.waits(ROUTE) > OPEN_FOR - 1
    for each in two:
        each._states.clear()
    await open_until(time.time() - 1, here, there)
    assert await there.enter(ROUTE)
    there.succeeded(ROUTE)
    await there.refresh()
    await here.refresh()

    assert await here.enter(ROUTE)
    assert here.waits(ROUTE) == 0


async def test_a_caller_that_leaves_lets_somebody_else_try(two: tuple[Breakers, Breakers]) -> None:
    here, there = two
    await open_until(time.time() - 1, here, there)
    assert await here.enter(ROUTE)
    assert not await there.enter(ROUTE)

    here.left(ROUTE)
    await here.refresh()

    assert await there.enter(ROUTE)


async def test_without_redis_a_process_judges_alone() -> None:
    alone = Breakers(RedisLink("redis://127.0.0.1:1"))

    for _ in range(FAILURES):
        alone.failed(ROUTE)
    await alone.refresh()

    assert not await alone.enter(ROUTE)


@given(st.lists(st.sampled_from(["failed", "succeeded", "limited", "left", "enter"]), max_size=40))
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_open_route_is_never_entered_before_its_time(steps: list[str]) -> None:
    async def walk() -> None:
        alone, failures = Breakers(RedisLink("redis://127.0.0.1:1")), 0
        shut = False
        for step in steps:
            if step == "enter":
                assert await alone.enter(ROUTE) is not shut
                assert (alone.waits(ROUTE) > 0) is shut
                continue
            arguments: list[Any] = [5.0] if step == "limited" else []
            getattr(alone, step)(ROUTE, *arguments)
            failures = failures + 1 if step == "failed" else 0 if step != "left" else failures
            shut = step == "limited" or failures >= FAILURES or (shut and step != "succeeded")
        await alone.refresh()

    asyncio.run(walk())


def test_a_dead_provider_is_left_alone_by_all_workers(
    four_workers: Site,
) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}]}
    headers = make_key().headers
    with scripted_provider() as provider, httpx.Client(base_url=four_workers.url) as client:
        provider.says({"error": {"message": "down"}}, status=500)
        model = provider.serves()

        def ask() -> httpx.Response:
            url = "/v1/chat/completions"
            return client.post(url, headers=headers, json=body | {"model": model})

        for _ in range(40):
            ask()
        time.sleep(3 * breakers.REFRESH_EVERY)
        reached = len(provider.bodies)
        answers = [ask() for _ in range(40)]

        assert len(provider.bodies) == reached
        for answer in answers:
            check(answer, 503, "model_unavailable")
            assert 1 <= int(answer.headers["retry-after"]) <= OPEN_FOR
            assert answer.json()["error"]["type"] == "model_error"
