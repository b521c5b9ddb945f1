"""Exact limits: every request is admitted by Redis, or by this host together while it is away."""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from datetime import datetime

from gateway.admission import Admission, AllSpent, Away, restoring
from gateway.decisions import Decision
from gateway.errors import Unavailable
from gateway.last_seen import NothingKnown
from gateway.policy import Policy
from gateway.redis_link import DEADLINE, RedisLink
from gateway.standby import GRANTED, InTouch, Question, Standby, unavailable

log = logging.getLogger(__name__)

NOT_SERVED = -1  # instead of tokens: the request itself does not count either
HICCUP = 1.0  # seconds that a request waits where nobody can decide instead of Redis
KNOCK_EVERY = 0.5  # seconds, while Redis is away
PATIENCE = 3.0  # seconds for colleagues to tell Redis what they have handed out


class Stale(Exception):
    """What this process knows of the account is older than what Redis knows."""


class Cold(Exception):
    """Redis lacks counters of the account or the key; they must be restored before an admission."""


class Limiter:
    """Admits, rehearses, peeks, settles and restores, each in one round trip.

    Once Redis does not answer nobody waits for it: ``standby`` decides until Redis answers again
    and was told what had been granted meanwhile. Without a standby that is Unavailable.
    """

    def __init__(self, link: RedisLink, standby: Standby | None = None) -> None:
        self._admission = Admission(link)
        self._standby = standby
        self._return: asyncio.Task[None] | None = None  # while Redis is away
        self._away_since = 0  # monotonic nanoseconds
        self._knock = asyncio.Event()

    async def admit(
        self, account_id: int, epoch: int, policy: Policy, *, lease: str, tokens: int
    ) -> Decision:
        """Reserve one request and ``tokens``, or say why not. Raises Stale, Cold, Unavailable.

        A ``degraded`` one is settled with ``GRANTED`` before the name of its lease.
        """
        return await self._ask(Question("admit", account_id, epoch, policy, lease, tokens))

    async def rehearse(
        self, account_id: int, epoch: int, policy: Policy, *, tokens: int
    ) -> Decision:
        """What ``admit`` would say just now; reserves nothing. Raises Stale, Cold, Unavailable."""
        return await self._ask(Question("rehearse", account_id, epoch, policy, "", tokens))

    async def peek(self, account_id: int, epoch: int, policy: Policy) -> Decision:
        """The state of every limit; reserves nothing. Raises Stale, Cold, Unavailable."""
        return await self._ask(Question("peek", account_id, epoch, policy, "", 0))

    async def restore(self, account_id: int, epoch: int, now: datetime, spent: AllSpent) -> None:
        """Give Redis back the counters that it lost; does nothing where it has some."""
        try:
            await self._admission.run(account_id, "restore", *restoring(epoch, now, spent))
        except Away as away:
            raise unavailable() from away

    def settle(self, account_id: int, lease: str, tokens: int) -> None:
        """Replace a reservation by what was used; nobody waits. Settling twice changes nothing."""
        if self._standby and lease.startswith(GRANTED):
            self._standby.settle(account_id, lease, tokens)
        self._admission.settle(account_id, lease, tokens)

    async def settled(self) -> None:
        """Wait until every settlement so far has reached Redis."""
        await self._admission.settled()

    def close(self) -> None:
        if self._return:
            self._return.cancel()
        self._admission.close()
        if self._standby:
            self._standby.seen.close()

    async def _ask(self, question: Question) -> Decision:
        verb, account_id, epoch, policy, lease, tokens = question
        if self._standby and self._standby.seen.anybody_owes():
            self._lose(time.monotonic_ns(), "as others on this host have found")
        if self._return is None:
            began = time.monotonic_ns()
            try:
                reply = await self._admission.run(
                    account_id, verb, epoch, lease, tokens, *policy.words
                )
            except asyncio.CancelledError:
                self._void(question)
                raise
            except Away as away:
                self._lose(began, str(away))
                return await self._ask_standby(question)
            if reply[0] == b"stale":
                raise Stale
            if reply[0] == b"cold":
                raise Cold
            if self._standby:
                self._standby.note(account_id, policy, reply)
            return policy.read(reply, tokens, verb)
        return await self._ask_standby(question)

    async def _ask_standby(self, question: Question) -> Decision:
        """Or Redis once more, if anybody on this host has reached it again."""
        if self._standby is None:
            self._void(question)
            raise unavailable()
        try:
            decision = self._standby.decide(question, self._away_since)
        except (InTouch, NothingKnown):
            await self._returned(self._standby, question)
            return await self._ask(question)
        except Unavailable:
            self._void(question)
            raise
        if not decision.admitted:
            self._void(question)
        return decision

    def _void(self, question: Question) -> None:
        """Should Redis have heard of this request all the same, it does not count."""
        if question.verb == "admit":
            self._admission.settle(question.account_id, question.lease, NOT_SERVED)

    def _lose(self, since: int, why: str) -> None:
        """From now on ask the standby, and see when Redis is back."""
        if self._standby and self._return is None:
            log.warning("Redis is away: %s", why)
            self._away_since = since
            self._standby.seen.lose()
            self._return = asyncio.create_task(self._come_back(self._standby))

    async def _returned(self, standby: Standby, question: Question) -> None:
        """Knock now, and wait a little, longer in the first second: it may be but a hiccup.

        Raises Unavailable.
        """
        self._knock.set()
        away_for = (time.monotonic_ns() - standby.seen.lost()) / 1e9
        if self._return:
            await asyncio.wait([self._return], timeout=max(DEADLINE, HICCUP - away_for))
        if self._return:
            self._void(question)
            raise unavailable()

    async def _come_back(self, standby: Standby) -> None:
        """Knock until Redis answers, tell it what was granted meanwhile, and go on with it."""
        while True:
            began = time.monotonic_ns()
            try:
                await self._admission.ping()
                standby.seen.touch()  # from now on nobody on this host decides alone
                began = time.monotonic_ns()
                await self._tell(standby)
                break
            except (Away, TimeoutError):
                self._away_since = began
                standby.seen.lose()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KNOCK_EVERY):
                    await self._knock.wait()
            self._knock.clear()
        for _ in range(int(PATIENCE / 0.05)):
            if not standby.seen.others_owe():
                break
            await asyncio.sleep(0.05)
        standby.seen.nobody_owes()
        log.warning("Redis is back")
        self._return = None

    async def _tell(self, standby: Standby) -> None:
        """Let Redis know everything that was granted without it. Raises Away, TimeoutError."""
        leases: dict[int, list[str]] = defaultdict(list)
        for lease, account_id in standby.granted.items():
            leases[account_id].append(lease)
        for account_id, granted in leases.items():
            await self._admission.run(account_id, "adopt", *granted)
        async with asyncio.timeout(PATIENCE):
            self._admission.try_again()
            await self.settled()
        standby.told()
