"""The limiter by itself, on the real server: with its own time, or with one that tests turn."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import redis
from django.conf import settings

from accounts import epochs
from billing.limits import NAMES, OF_KEYS, parse
from gateway.admission import LEASE_SECONDS, SCRIPT, Spent, restoring
from gateway.decisions import Decision
from gateway.limits import Limiter
from gateway.policy import Policy, Verb

PLENTY = dict.fromkeys(NAMES, 10**9)
PLENTY_OF_A_KEY = dict.fromkeys(OF_KEYS, 10**9)
NOTHING = Spent(0, 0, 0, 0)
OWN = "k7.1"  # the counters of a key
numbers = count(10**9)  # accounts and requests that nobody else has
REDIS_TIME = "redis.call('TIME')[1]"
SET_TIME = "redis.call('GET', KEYS[1] .. ':now')"


def policy_of(amounts: Mapping[str, int], own: Mapping[str, int] | None = None) -> Policy:
    return Policy(parse(amounts), parse(own or {}, OF_KEYS), OWN)


async def restored(limiter: Limiter, spent: Spent = NOTHING) -> int:
    """A new account whose counters Redis knows, and those of its key."""
    account_id = next(numbers)
    await limiter.restore(account_id, 1, datetime.now(UTC), {"": spent, OWN: spent})
    return account_id


async def ask(
    limiter: Limiter, account_id: int, policy: Policy, tokens: int = 10, epoch: int = 1
) -> tuple[Decision, str]:
    lease = policy.lease(f"req_{next(numbers)}", tokens)
    decision = await limiter.admit(account_id, epoch, policy, lease=lease, tokens=tokens)
    return decision, lease


async def counted(limiter: Limiter, account_id: int) -> dict[str, int]:
    """What is used of everything; the key's counters have ``key`` before their name."""
    decision = await limiter.peek(account_id, 1, policy_of(PLENTY, PLENTY_OF_A_KEY))
    return {f"{use.scope} {use.name}": use.used for use in decision.uses}


class Bench:
    """The admission script with a clock of its own; everything else as in production."""

    def __init__(self, start: int) -> None:
        assert SCRIPT.count(REDIS_TIME) == 1
        self._client = redis.Redis.from_url(settings.REDIS_URL)
        self._script = self._client.register_script(SCRIPT.replace(REDIS_TIME, SET_TIME))
        self.account_id = next(numbers)
        self.key = epochs.key(self.account_id)
        self.turn_to(start)
        self.restore()

    def turn_to(self, now: int) -> None:
        self.now = now
        self._client.set(f"{self.key}:now", now)

    def run(self, verb: str, *words: str | int) -> list[Any]:
        args = [verb, LEASE_SECONDS, *words]
        reply: list[Any] = self._script(keys=[self.key, f"{self.key}:leases"], args=args)
        return reply

    def restore(self, account: Spent = NOTHING, own: Spent = NOTHING) -> None:
        now = datetime.fromtimestamp(self.now, UTC)
        self.run("restore", *restoring(1, now, {"": account, OWN: own}))

    def forget(self) -> None:
        """Redis loses what is counted, not the reservations."""
        self._client.delete(self.key, f"{self.key}:{OWN}")

    def ask(
        self, policy: Policy, tokens: int = 10, *, verb: Verb = "admit", lease: str = ""
    ) -> Decision:
        lease = lease or policy.lease(f"req_{next(numbers)}", tokens)
        return policy.read(self.run(verb, 1, lease, tokens, *policy.words), tokens, verb)

    def settle(self, lease: str, used: int) -> None:
        self.run("settle", lease, used)

    def close(self) -> None:
        self._client.close()
