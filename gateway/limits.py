"""Exact limits: one Redis script checks every limit of an account and reserves, or refuses."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime
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
        self._unsettled: dict[int, list[str | int]] = {}
        self._settler: asyncio.Task[None] | None = None

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
        self._unsettled.setdefault(account_id, []).extend((lease, tokens))
        if self._settler is None:
            self._settler = asyncio.create_task(self._settle_all())

    async def settled(self) -> None:
        """Wait until every settlement so far has reached Redis."""
        while self._settler:
            await asyncio.wait([self._settler])

    async def _settle_all(self) -> None:
        try:
            while self._unsettled:
                batch, self._unsettled = self._unsettled, {}
                sent = [self._run(account, "settle", *pairs) for account, pairs in batch.items()]
                replies = await asyncio.gather(*sent, return_exceptions=True)
                lost = [one for one, reply in zip(batch, replies, strict=True) if failed(reply)]
                for account_id in lost:
                    self._unsettled.setdefault(account_id, []).extend(batch[account_id])
                if lost:
                    await asyncio.sleep(SETTLE_AGAIN_AFTER)
        finally:
            self._settler = None

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
        key = epochs.key(account_id)
        words = (2, key, f"{key}:leases", verb, LEASE_SECONDS, *arguments)
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
            log.warning("limits cannot be checked: %s", error)
            raise Unavailable("Limits cannot be checked at the moment.") from error


def failed(reply: object) -> bool:
    return isinstance(reply, BaseException)


def lease_for(request_id: str, tokens: int) -> str:
    """The name of a reservation, known before it is made."""
    return f"{request_id}|{tokens}"
