"""Who guesses keys, or floods us with reports, is told to wait: so many different ones a minute.

What is good costs nothing here: only what turned out wrong is counted, in Redis, for all processes
together. Once an address has used up its minute, this process remembers it by itself, and looks
hardly anything up for it.
"""

import logging
import time
from datetime import UTC, datetime

import hiredis

from gateway.allowance import Allowance
from gateway.errors import RateLimited
from gateway.redis_link import RedisLink, RedisUnavailable

log = logging.getLogger(__name__)
WINDOW = 60  # seconds from the first one
REMEMBERED = 10_000  # addresses, the oldest go first; and as many of a day, for operators
GUESSERS = "kpx:guessers:{}"  # a hash for each UTC day: an address → how often it was refused
KEPT = 8 * 86400  # seconds
SPARED = 5  # looks a second for an address that is refused
COUNT = """
local new = redis.call('SADD', KEYS[1], ARGV[1])
if new == 1 and redis.call('SCARD', KEYS[1]) == 1 then
    redis.call('EXPIRE', KEYS[1], ARGV[2])
elseif redis.call('SCARD', KEYS[1]) > tonumber(ARGV[3]) then
    redis.call('SREM', KEYS[1], ARGV[1])
    if redis.call('HLEN', KEYS[2]) < tonumber(ARGV[5]) then
        redis.call('HINCRBY', KEYS[2], ARGV[4], 1)
        redis.call('EXPIRE', KEYS[2], ARGV[6])
    end
    return math.max(1, redis.call('TTL', KEYS[1]))
end
return 0
"""


class TooManyGuesses(RateLimited):
    code = "too_many_attempts"


class Guesses:
    """At most ``most`` different guesses of a kind from one address in a minute.

    ``what`` they are is said in words.
    """

    def __init__(self, link: RedisLink, kind: str, most: int, what: str) -> None:
        self._link, self._kind, self._most, self._what = link, kind, most, what
        self._refused: dict[str, float] = {}  # addresses, until when
        self._spared = Allowance(SPARED, 1.0)

    def refuse(self, ip: str, *, spare: bool = False) -> None:
        """Raise TooManyGuesses while nothing of this address is looked at.

        To ``spare`` it is to let a few pass: behind the same address there may be honest people.
        """
        until = self._refused.get(ip)
        if until is None:
            return
        wait = until - time.monotonic()
        if wait <= 0:
            del self._refused[ip]
        elif not (spare and self._spared.take(ip)):
            raise self._too_many(int(wait) + 1)

    async def count(self, ip: str, guess: bytes) -> None:
        """Raise TooManyGuesses if this one was too many. Counts nothing while Redis is away."""
        keys = f"kpx:guesses:{self._kind}:{ip}", GUESSERS.format(f"{datetime.now(UTC):%Y-%m-%d}")
        said = guess[:12], WINDOW, self._most, ip, REMEMBERED, KEPT
        try:
            wait = await self._link.command("EVAL", COUNT, 2, *keys, *said)
        except (RedisUnavailable, hiredis.ReplyError) as error:
            log.info("guesses are not counted: %s", error)
            return
        if wait:
            self._refused[ip] = time.monotonic() + wait
            if len(self._refused) > REMEMBERED:
                del self._refused[next(iter(self._refused))]
            raise self._too_many(wait)

    def _too_many(self, wait: int) -> TooManyGuesses:
        return TooManyGuesses(
            f"Too many {self._what} came from your address; wait {wait} s.", retry_after=wait
        )
