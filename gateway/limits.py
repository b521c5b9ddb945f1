"""Exact limits: one Redis script checks every limit of an account and reserves, or refuses."""

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import hiredis

from accounts import epochs
from gateway.decisions import DAY, Decision, Policy, month_of, this_month
from gateway.errors import Unavailable
from gateway.redis_link import RedisLink, RedisUnavailable

log = logging.getLogger(__name__)

SCRIPT = (Path(__file__).parent / "admission.lua").read_text()
LEASE_SECONDS = 660  # the longest call of 600 s and a margin
SETTLE_AGAIN_AFTER = 0.5  # seconds, when Redis was away


class Stale(Exception):
    """What this process knows of the account is older than what Redis knows."""


class Cold(Exception):
    """Redis has no counters for the account; they must be restored before anything is admitted."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests and tokens of the current day and month, as PostgreSQL knows them."""

    requests_today: int
    tokens_today: int
    requests_this_month: int
    tokens_this_month: int


class Limiter:
    """Admits, peeks, settles and restores, each in one round trip. Raises Unavailable."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._sha: str | None = None
        self._used: dict[int, list[str | int]] = {}  # leases and tokens, not yet sent
        self._on_the_way: set[asyncio.Future[Any]] = set()  # without a reply so far
        self._lost: deque[tuple[int, list[str | int]]] = deque()  # to be sent again
        self._again: asyncio.Task[None] | None = None

    async def admit(
        self, account_id: int, epoch: int, policy: Policy, *, lease: str, tokens: int
    ) -> Decision:
        """Reserve one request and ``tokens``, or say why not. Raises Stale, Cold, Unavailable."""
        return await self._ask("admit", account_id, epoch, policy, lease, tokens)

    async def peek(self, account_id: int, epoch: int, policy: Policy) -> Decision:
        """The state of every limit; reserves nothing. Raises Stale, Cold, Unavailable."""
        return await self._ask("peek", account_id, epoch, policy, "", 0)

    async def restore(self, account_id: int, epoch: int, now: datetime, spent: Spent) -> None:
        """Give Redis back the counters that it lost; does nothing where it has some."""
        await self._run(
            account_id,
            "restore",
            epoch,
            int(now.timestamp()) // DAY,
            spent.requests_today,
            spent.tokens_today,
            month_of(now),
            spent.requests_this_month,
            spent.tokens_this_month,
        )

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

    def _send(self) -> None:
        """Settle what was used in this turn of the loop, with one command for each account."""
        used, self._used = self._used, {}
        for account_id, pairs in used.items():
            reply = self._link.send(*self._words(account_id, "settle", *pairs))
            self._on_the_way.add(reply)
            reply.add_done_callback(partial(self._arrived, account_id, pairs))

    def _arrived(self, account_id: int, pairs: list[str | int], reply: asyncio.Future[Any]) -> None:
        self._on_the_way.discard(reply)
        if reply.cancelled() or reply.exception() or isinstance(reply.result(), Exception):
            self._lost.append((account_id, pairs))
            self._again = self._again or asyncio.create_task(self._settle_again())

    async def _settle_again(self) -> None:
        """Send what was lost, for as long as it takes."""
        while self._lost:
            account_id, pairs = self._lost[0]
            try:
                await self._run(account_id, "settle", *pairs)
            except Unavailable:
                await asyncio.sleep(SETTLE_AGAIN_AFTER)
            else:
                self._lost.popleft()
        self._again = None

    async def _ask(
        self,
        verb: str,
        account_id: int,
        epoch: int,
        policy: Policy,
        lease: str,
        tokens: int,
    ) -> Decision:
        reply = await self._run(
            account_id,
            verb,
            epoch,
            this_month(int(time.time()) // DAY),
            lease,
            tokens,
            *policy.amounts,
        )
        verdict = reply[0]
        if verdict == b"stale":
            raise Stale
        if verdict == b"cold":
            raise Cold
        return policy.read(reply, tokens, asked=verb == "admit")

    async def _run(self, account_id: int, verb: str, *arguments: str | int) -> Any:
        try:
            if self._sha is None:
                self._sha = (await self._link.command("SCRIPT", "LOAD", SCRIPT)).decode()
            try:
                return await self._link.command(*self._words(account_id, verb, *arguments))
            except hiredis.ReplyError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
                self._sha = None
                return await self._run(account_id, verb, *arguments)
        except (RedisUnavailable, hiredis.ReplyError) as error:
            log.warning("limits cannot be checked: %s", error)
            raise Unavailable("Limits cannot be checked at the moment.") from error

    def _words(self, account_id: int, verb: str, *arguments: str | int) -> tuple[str | int, ...]:
        key = epochs.key(account_id)
        sha = self._sha or ""
        return ("EVALSHA", sha, 2, key, f"{key}:leases", verb, LEASE_SECONDS, *arguments)


def lease_for(request_id: str, tokens: int) -> str:
    """The name of a reservation, known before it is made."""
    return f"{request_id}|{tokens}"
