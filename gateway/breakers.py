"""Which routes are not worth asking now: known to every process within half a second.

A route that fails five times in a row is open: nobody asks it for half a minute. Then one caller of
all processes may try it; what comes of that closes it or opens it again. A provider that limits us
is left alone in the same way for as long as it says. A run of failures, rather than a share of
them, because it needs no window and no least number of calls: a provider that fails four times in
five is found out within some ten calls, and one that fails rarely never is.
"""

import asyncio
import logging
import time
from dataclasses import dataclass

import hiredis

from gateway.redis_link import RedisLink, RedisUnavailable

log = logging.getLogger(__name__)
KEY = "breakers"  # a hash: primary key of a route → until when it is open, in Unix seconds
PROBE = "breaker-probe:{}"
FAILURES = 5
OPEN_FOR = 30.0  # seconds
PROBE_FOR = 120  # seconds that a probe may take before another one may begin
REFRESH_EVERY = 0.5


@dataclass(slots=True)
class State:
    """Of one route, as this process knows it; closed while ``open_until`` is 0."""

    failures: int = 0
    opened_at: float = 0.0
    open_until: float = 0.0
    probing: bool = False  # by this process


class Breakers:
    """Asked before a route is, and told how that went. Without Redis each process is alone."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._states: dict[int, State] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def waits(self, route: int) -> float:
        """Seconds until the route may be asked; 0 for now, perhaps as a probe."""
        state = self._states.get(route)
        if state is None or not state.open_until:
            return 0.0
        return OPEN_FOR if state.probing else max(0.0, state.open_until - time.time())

    async def enter(self, route: int) -> bool:
        """Whether to ask now. A route that was open is asked by one caller of all processes."""
        state = self._states.get(route)
        if state is None or not state.open_until:
            return True
        if state.probing or state.open_until > time.time() or not await self._first(route):
            return False
        state.probing = True
        return True

    def succeeded(self, route: int) -> None:
        state = self._states.pop(route, None)
        if state and state.open_until:
            self._tell("HDEL", KEY, route)
            self._tell("DEL", PROBE.format(route))

    def failed(self, route: int) -> None:
        state = self._states.setdefault(route, State())
        state.failures += 1
        if state.probing or state.failures >= FAILURES:
            self._open(route, state, OPEN_FOR)

    def limited(self, route: int, seconds: float) -> None:
        """The provider answered, and asked us to wait."""
        self._open(route, self._states.setdefault(route, State()), seconds)

    def left(self, route: int) -> None:
        """The caller went away before it showed; somebody else may try."""
        state = self._states.get(route)
        if state and state.probing:
            state.probing = False
            self._tell("DEL", PROBE.format(route))

    def _open(self, route: int, state: State, seconds: float) -> None:
        state.opened_at = time.time()
        state.open_until = state.opened_at + seconds
        state.probing, state.failures = False, 0
        self._tell("HSET", KEY, route, f"{state.open_until:.3f}")
        self._tell("DEL", PROBE.format(route))
        log.warning("route %s is not asked for %.0f s", route, seconds)

    async def _first(self, route: int) -> bool:
        """Whether nobody else is trying. Without Redis: nobody that we know of."""
        try:
            reply = await self._link.command("SET", PROBE.format(route), 1, "NX", "EX", PROBE_FOR)
        except (RedisUnavailable, hiredis.ReplyError):
            return True
        return reply is not None

    def _tell(self, *words: str | int) -> None:
        """Let the others know; nobody waits for it."""
        task = asyncio.create_task(self._told(*words))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _told(self, *words: str | int) -> None:
        try:
            await self._link.command(*words)
        except (RedisUnavailable, hiredis.ReplyError):
            log.info("the other processes could not be told about a route")

    async def refresh(self) -> None:
        """Take over what other processes found out."""
        if self._telling:
            await asyncio.wait(self._telling)
        asked_at = time.time()
        try:
            reply = await self._link.command("HGETALL", KEY)
        except (RedisUnavailable, hiredis.ReplyError):
            return
        known = {int(reply[at]): float(reply[at + 1]) for at in range(0, len(reply), 2)}
        for route, state in list(self._states.items()):
            closed = state.open_until and state.opened_at < asked_at and route not in known
            if closed and not state.probing:
                del self._states[route]
        for route, until in known.items():
            state = self._states.setdefault(route, State())
            state.open_until = max(state.open_until, until)

    async def keep_fresh(self) -> None:
        """Look again and again, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_EVERY)
