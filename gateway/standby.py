"""The limits while Redis is away: what was left when it was last seen is shared on this host.

For a minute from when the first process finds Redis away, all processes of the host together hand
out what is left by the newest of their notes; then nothing any more. What is handed out never
comes back within that minute, so no window ever holds more than its limit. Where several hosts
serve, each hands out an equal share, which is exact only as far as its notes are the newest.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import msgspec

from gateway.decisions import Decision
from gateway.errors import Unavailable
from gateway.last_seen import LastSeen
from gateway.months import DAY, next_month
from gateway.policy import MINUTE_CELLS, STARTS, Policy, Verb

BEARABLE = 60.0  # seconds without Redis
GRANTED = "~"  # opens the lease of a request that was admitted without Redis
ACCOUNT, KEY = STARTS["account"], STARTS["key"]
DEGRADED = (b"x-keyplex-degraded", b"limits")


class Question(NamedTuple):
    """What is asked of Redis, or instead of it."""

    verb: Verb
    account_id: int
    epoch: int
    policy: Policy
    lease: str
    tokens: int


class InTouch(Exception):
    """Another process of this host reaches Redis: so shall we."""


class Standby:
    """Decides instead of Redis. ``hosts`` is how many hosts serve the same accounts."""

    def __init__(self, seen: LastSeen, hosts: int = 1) -> None:
        self.seen = seen
        self.granted: dict[str, int] = {}  # leases that Redis does not know yet, by account
        self._hosts = hosts

    def note(self, account_id: int, policy: Policy, reply: list[Any]) -> None:
        """Remember an answer of Redis."""
        self.seen.note(2 * account_id, reply[1], reply[ACCOUNT], reply[ACCOUNT + 1 : ACCOUNT + 7])
        if policy.own_counters:
            own = own_name(policy.own_counters)
            self.seen.note(own, reply[1], reply[KEY], reply[KEY + 1 : KEY + 9])

    def decide(self, question: Question, since: int) -> Decision:
        """As Redis would have. Raises Unavailable when that has been so for too long, NothingKnown
        of these counters, and InTouch if others have reached Redis after ``since``.
        """
        verb, account_id, _, policy, lease, tokens = question
        with self.seen.alone():
            if self.seen.contact() > since:
                raise InTouch
            if time.monotonic_ns() - self.seen.lost() > BEARABLE * 1e9:
                raise unavailable()
            reply = self._reply(verb, account_id, policy, tokens)
            if verb == "admit" and reply[0] == b"ok":
                self.granted[lease] = account_id
                self._hand(account_id, policy.own_counters, 1, tokens)
        decision = policy.read(reply, tokens, verb)
        headers = [*decision.headers, DEGRADED]
        return msgspec.structs.replace(decision, headers=headers, degraded=True)

    def settle(self, account_id: int, lease: str, used: int) -> None:
        """What was granted but not used can be handed out again."""
        _, tokens, *own_counters = lease.split("|")
        if self.granted.pop(lease.removeprefix(GRANTED), None):
            with self.seen.alone():
                self._hand(account_id, "".join(own_counters), 0, used - int(tokens))

    def told(self) -> None:
        """Redis knows everything that this process has granted."""
        self.granted.clear()
        self.seen.told()

    def _hand(self, account_id: int, own_counters: str, requests: int, tokens: int) -> None:
        self.seen.hand(2 * account_id, requests, tokens)
        if own_counters:
            self.seen.hand(own_name(own_counters), requests, tokens)

    def _reply(self, verb: Verb, account_id: int, policy: Policy, tokens: int) -> list[Any]:
        """What the script would answer. Raises NothingKnown."""
        limits = [[int(word) for word in policy.words[:6]]]
        known = [self._known(2 * account_id, limits[0])]
        if policy.own_counters:
            limits.append([int(word) for word in policy.words[7:]])
            known.append(self._known(own_name(policy.own_counters), limits[1]))
        now = max(moment for moment, _, _ in known)
        ask = [0] * 8 if verb == "peek" else [1, tokens] * 4
        fits = all(
            limit < 0 or number + asked <= limit
            for amounts, (_, _, numbers) in zip(limits, known, strict=True)
            for limit, number, asked in zip(amounts, numbers, ask, strict=False)
        )
        admitted = fits or verb == "peek"
        reply: list[Any] = [b"ok" if admitted else b"refused", now]
        for _, last, numbers in known:
            if verb == "admit" and admitted:
                numbers = [number + asked for number, asked in zip(numbers, ask, strict=False)]
            reply += [last, *numbers, now + MINUTE_CELLS, now + MINUTE_CELLS]
        return reply

    def _known(self, name: int, limits: list[int]) -> tuple[int, int, list[int]]:
        """The time, the last admission, and the counters so that what is left is our share."""
        seen = self.seen.newest(name)
        now = seen.now + int(seen.age)
        minute, day, month = seen.counters[:2], seen.counters[2:4], seen.counters[4:6]
        if now - seen.last >= MINUTE_CELLS:
            minute = (0, 0)
        if now // DAY > seen.now // DAY:
            day = (0, 0)
        if now >= next_month(seen.now // DAY):
            month = (0, 0)
        counters = (*minute, *day, *month, *seen.counters[6:])
        numbers = zip(limits, counters, seen.handed * 4, strict=False)  # an account has six limits
        return (
            now,
            seen.last,
            [
                handed + (limit - (limit - used) // self._hosts if used < limit else used)
                for limit, used, handed in numbers
            ],
        )


def own_name(own_counters: str) -> int:
    """The number under which a key's own counters are noted; an account's is even."""
    return 2 * int(own_counters[1:].partition(".")[0]) + 1


def unavailable() -> Unavailable:
    return Unavailable("Limits cannot be checked at the moment.")
