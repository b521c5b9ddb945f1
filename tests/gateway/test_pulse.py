"""How routes fare: what every process counted, as one page of operators sees it."""

import time
from datetime import UTC, datetime
from typing import cast

import pytest

from gateway import breakers, pulse
from gateway.catalog import Route
from gateway.http1 import Connection
from gateway.pulse import Pulse
from gateway.redis_link import RedisLink
from gateway.route_health import RouteHealth
from gateway.upstream import Upstream
from tests.gateway.provider_socket import route

pytestmark = pytest.mark.anyio
ROUTE, OTHER = 9_000_001, 9_000_002


@pytest.fixture(autouse=True)
async def nothing_counted(link: RedisLink) -> None:
    hour, minute = (int(time.time()) // step for step in (pulse.HOUR, pulse.MINUTE))
    names = [pulse.KEYS[pulse.MINUTE] % (minute - n) for n in range(16)]
    names += [pulse.KEYS[pulse.HOUR] % (hour - n) for n in range(25)]
    for name in [*names, pulse.RUNNING, breakers.KEY]:
        await link.command("DEL", name)


def runs(upstream: Upstream, way: Route) -> None:
    """As if a call were on its way."""
    upstream.running[cast(Connection, object())] = way


async def test_what_two_processes_saw_is_added_up(link: RedisLink) -> None:
    here, there = Pulse(link, Upstream()), Pulse(link, Upstream())
    for _ in range(6):
        here.saw(ROUTE, 100, failed=False)
    there.saw(ROUTE, 100, failed=False)
    there.saw(ROUTE, None, failed=True)
    there.saw(OTHER, 10_000, failed=True)
    await here.tell()
    await there.tell()

    health = RouteHealth.now()

    one, both = health.of([ROUTE]), health.of([ROUTE, OTHER])
    assert (one.lately.calls, one.lately.failed, one.lately.error_share) == (8, 1, 1 / 8)
    assert (one.day.calls, one.day.failed) == (8, 1)
    assert 70 < (one.lately.p50_ms or 0) < 130
    assert 70 < (one.day.p95_ms or 0) < 130
    assert (both.lately.calls, both.lately.failed) == (9, 2)
    assert (both.day.p95_ms or 0) > 5_000


async def test_what_was_told_is_not_told_again(link: RedisLink) -> None:
    here = Pulse(link, Upstream())
    here.saw(ROUTE, 5, failed=False)
    for _ in range(3):
        await here.tell()

    assert RouteHealth.now().of([ROUTE]).lately.calls == 1


async def test_a_route_that_nobody_asked_has_no_share_and_no_pace() -> None:
    signs = RouteHealth.now().of([ROUTE])

    assert (signs.lately.calls, signs.lately.error_share, signs.day.p50_ms) == (0, None, None)
    assert (signs.running, signs.open_until, signs.open_routes) == (0, None, 0)


async def test_older_minutes_count_for_the_day_only(link: RedisLink) -> None:
    now = int(time.time())
    for name in (
        pulse.KEYS[pulse.MINUTE] % (now // pulse.MINUTE - 15),
        pulse.KEYS[pulse.HOUR] % (now // pulse.HOUR - 23),
        pulse.KEYS[pulse.HOUR] % (now // pulse.HOUR - 24),
    ):
        await link.command("HSET", name, f"{ROUTE}:calls", 1)

    signs = RouteHealth.now().of([ROUTE])

    assert (signs.lately.calls, signs.day.calls) == (0, 1)


async def test_what_runs_is_told_by_all_who_still_say_so(link: RedisLink) -> None:
    upstreams = [Upstream(), Upstream()]
    for upstream in upstreams:
        runs(upstream, route("http://127.0.0.1:9/v1"))
        await Pulse(link, upstream).tell()
    dead = f"{int(time.time()) - 11} 1:7"
    await link.command("HSET", pulse.RUNNING, "dead", dead)

    assert RouteHealth.now().of([1]).running == 2


async def test_who_has_nothing_left_to_do_says_so_once(link: RedisLink) -> None:
    upstream = Upstream()
    here = Pulse(link, upstream)
    runs(upstream, route("http://127.0.0.1:9/v1"))
    await here.tell()

    upstream.running.clear()
    await here.tell()
    assert RouteHealth.now().of([1]).running == 0
    await link.command("DEL", pulse.RUNNING)
    await here.tell()

    assert await link.command("EXISTS", pulse.RUNNING) == 0


async def test_processes_that_are_gone_are_forgotten(link: RedisLink) -> None:
    await link.command("HSET", pulse.RUNNING, "gone", f"{int(time.time()) - 61} 1:7")
    here = Pulse(link, Upstream())
    here.saw(ROUTE, 5, failed=False)

    await here.tell()

    assert await link.command("HEXISTS", pulse.RUNNING, "gone") == 0


async def test_open_breakers_are_told_with_their_time(link: RedisLink) -> None:
    until = int(time.time()) + 20
    await link.command("HSET", breakers.KEY, ROUTE, f"{until}.000")
    await link.command("HSET", breakers.KEY, OTHER, f"{until - 40}.000")

    signs = RouteHealth.now().of([ROUTE, OTHER])

    assert signs.open_until == datetime.fromtimestamp(until, UTC)
    assert signs.open_routes == 1
    assert RouteHealth.now().of([OTHER]).open_until is None


async def test_without_redis_nothing_is_counted_and_nothing_breaks() -> None:
    alone = Pulse(RedisLink("redis://127.0.0.1:1"), Upstream())
    alone.saw(ROUTE, 5, failed=False)

    await alone.tell()

    assert RouteHealth.now().of([ROUTE]).day.calls == 0
