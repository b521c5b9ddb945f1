"""How each route fares, counted where it is asked and told to Redis every few seconds.

The log knows it too, but by account: to ask it about everybody would mean reading all of it. What
Redis does not take is forgotten, for this is no book: ``gateway/route_health.py`` reads it.
"""

import asyncio
import logging
import os
import secrets
import time
from collections import Counter

import hiredis

from gateway.redis_link import RedisLink, RedisUnavailable
from gateway.upstream import Upstream
from usage import histograms

log = logging.getLogger(__name__)
TELL_EVERY = 2.0  # seconds
MINUTE, HOUR = 60, 3600
KEYS = {MINUTE: "{pulse}:minute:%d", HOUR: "{pulse}:hour:%d"}  # hashes, by their number since 1970
KEPT = {MINUTE: 20 * MINUTE, HOUR: 26 * HOUR}  # seconds
RUNNING = "{pulse}:running"  # a hash: a process → when it said so, then pairs of route:calls
FORGOTTEN = 60  # seconds, after which a process that says nothing is gone
SCRIPT = """
for i = 5, #ARGV, 2 do
    redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
    redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
local now = tonumber(string.match(ARGV[4], '^%d+'))
local said = redis.call('HGETALL', KEYS[3])
for i = 1, #said, 2 do
    if tonumber(string.match(said[i + 1], '^%d+')) < now - """
SCRIPT += f"{FORGOTTEN} then redis.call('HDEL', KEYS[3], said[i]) end\nend\n"


Seen = tuple[int, int | None, bool]  # a route, the milliseconds to its first byte, failed


class Pulse:
    """Of one process."""

    def __init__(self, link: RedisLink, upstream: Upstream) -> None:
        self._link = link
        self._upstream = upstream
        self._seen: list[Seen] = []
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._ran = False  # calls, when we last told

    def saw(self, route: int, first_byte_ms: int | None, *, failed: bool) -> None:
        """A route was asked, and answered or not."""
        self._seen.append((route, first_byte_ms, failed))

    async def tell(self) -> None:
        """Add what was seen to what the others saw, and say what runs."""
        seen, self._seen = self._seen, []
        running = Counter(route.pk for route in self._upstream.running.values())
        if not (seen or running or self._ran):
            return
        self._ran = bool(running)
        now = int(time.time())
        said = " ".join([str(now), *(f"{route}:{calls}" for route, calls in running.items())])
        keys = [KEYS[step] % (now // step) for step in (MINUTE, HOUR)]
        words = [KEPT[MINUTE], KEPT[HOUR], self._name, said, *fields_of(seen)]
        try:
            await self._link.command("EVAL", SCRIPT, 3, *keys, RUNNING, *words)
        except (RedisUnavailable, hiredis.ReplyError):
            log.info("how the routes fare could not be told")

    async def keep_telling(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(TELL_EVERY)
            await self.tell()


def fields_of(seen: list[Seen]) -> list[str | int]:
    """Names of fields, each followed by what is added to it."""
    fields: Counter[str] = Counter()
    for (route, first_byte_ms, failed), times in Counter(seen).items():
        fields[f"{route}:calls"] += times
        if failed:
            fields[f"{route}:failed"] += times
        if first_byte_ms is not None:
            fields[f"{route}:{histograms.bucket(first_byte_ms)}"] += times
    return [word for pair in fields.items() for word in pair]
