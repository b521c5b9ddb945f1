"""The admission script at work: one round trip for each verb, and settlements that arrive."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import hiredis

from accounts import epochs
from gateway.months import DAY, month_of
from gateway.redis_link import RedisLink, RedisUnavailable

log = logging.getLogger(__name__)

SCRIPT = (Path(__file__).parent / "admission.lua").read_text()
LEASE_SECONDS = 660  # the longest call of 600 s and a margin
SETTLE_AGAIN_AFTER = 0.5  # seconds, when Redis was away


class Away(Exception):
    """Redis did not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests and tokens of the current day and month, and ever, as PostgreSQL knows them.

    What an account ever used limits nothing, and is not looked up.
    """

    requests_today: int
    tokens_today: int
    requests_this_month: int
    tokens_this_month: int
    requests_ever: int = 0
    tokens_ever: int = 0


AllSpent = Mapping[str, Spent]  # by the name of counters; those of the account have none


def restoring(epoch: int, now: datetime, spent: AllSpent) -> list[str | int]:
    """The words of a ``restore``."""
    words: list[str | int] = [epoch, int(now.timestamp()) // DAY, month_of(now)]
    for name, one in spent.items():
        words += [name, one.requests_today, one.tokens_today]
        words += [one.requests_this_month, one.tokens_this_month]
        words += [one.requests_ever, one.tokens_ever]
    return words


class Admission:
    """Runs the script. Settlements that do not arrive are sent again until they do."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._sha: str | None = None
        self._used: dict[int, list[str | int]] = {}  # leases and tokens, not yet sent
        self._on_the_way: set[asyncio.Future[Any]] = set()  # without a reply so far
        self._lost: deque[tuple[int, list[str | int]]] = deque()  # to be sent again
        self._again: asyncio.Task[None] | None = None
        self._now = asyncio.Event()

    async def run(self, account_id: int, verb: str, *arguments: str | int) -> Any:
        """The reply of one verb. Raises Away."""
        words = self._words(account_id, verb, *arguments)
        try:
            if self._sha is None:
                self._sha = (await self._link.command("SCRIPT", "LOAD", SCRIPT)).decode()
            try:
                return await self._link.command("EVALSHA", self._sha, *words)
            except hiredis.ReplyError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
                return await self._link.command("EVAL", SCRIPT, *words)
        except (RedisUnavailable, hiredis.ReplyError) as error:
            raise Away(str(error)) from error

    async def ping(self) -> None:
        """Raises Away."""
        try:
            await self._link.command("PING")
        except (RedisUnavailable, hiredis.ReplyError) as error:
            raise Away(str(error)) from error

    def settle(self, account_id: int, lease: str, tokens: int) -> None:
        """Replace a reservation by what was used; nobody waits. Settling twice changes nothing."""
        if not self._used:
            asyncio.get_running_loop().call_soon(self._send)
        self._used.setdefault(account_id, []).extend((lease, tokens))

    async def settled(self) -> None:
        """Wait until every settlement so far has reached Redis."""
        await asyncio.sleep(0)  # until the turn of the loop is over that they belong to
        while waiting := [*self._on_the_way, *([self._again] if self._again else [])]:
            await asyncio.wait(waiting)

    def try_again(self) -> None:
        """Redis seems to be back: send what did not arrive at once."""
        self._now.set()

    def close(self) -> None:
        """Send nothing again any more: the recorder settles what the journal says."""
        if self._again:
            self._again.cancel()

    def _send(self) -> None:
        """Settle what was used in this turn of the loop, with one command for each account."""
        used, self._used = self._used, {}
        for account_id, pairs in used.items():
            words = self._words(account_id, "settle", *pairs)
            reply = self._link.send("EVALSHA", self._sha or "", *words)
            self._on_the_way.add(reply)
            reply.add_done_callback(partial(self._arrived, account_id, pairs))

    def _arrived(self, account_id: int, pairs: list[str | int], reply: asyncio.Future[Any]) -> None:
        self._on_the_way.discard(reply)
        if reply.cancelled() or reply.exception() or isinstance(reply.result(), Exception):
            self._lost.append((account_id, pairs))
            self._again = self._again or asyncio.create_task(self._settle_again())

    async def _settle_again(self) -> None:
        """Send what was lost, for as long as it takes."""
        try:
            while self._lost:
                account_id, pairs = self._lost[0]
                try:
                    await self.run(account_id, "settle", *pairs)
                except Away:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(SETTLE_AGAIN_AFTER):
                            await self._now.wait()
                    self._now.clear()
                else:
                    self._lost.popleft()
        finally:
            self._again = None

    @staticmethod
    def _words(account_id: int, verb: str, *arguments: str | int) -> tuple[str | int, ...]:
        key = epochs.key(account_id)
        return (2, key, f"{key}:leases", verb, LEASE_SECONDS, *arguments)
