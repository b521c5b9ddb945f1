"""Exact limits: one Redis script checks every limit of an account and reserves, or refuses.

What the script answers is kept whole as a ``Decision``; headers, the 429 body and the log row
are views of it, never a second computation.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hiredis

from accounts import epochs
from billing.limits import NAMES, Limit, Limits
from gateway.errors import Headers, RateLimited, Unavailable
from gateway.redis_link import RedisLink, RedisUnavailable

log = logging.getLogger(__name__)

SCRIPT = (Path(__file__).parent / "admission.lua").read_text()
LEASE_SECONDS = 660  # the longest call of 600 s and a margin
SETTLE_AGAIN_AFTER = 0.5  # seconds, when Redis was away
DAY = 86400
MINUTE_CELLS = 61  # a one-second cell counts until 61 seconds after it began
FOR_WINDOW = {"minute": "", "day": "-Day", "month": "-Month"}


class Stale(Exception):
    """What this process knows of the account is older than what Redis knows."""


class Cold(Exception):
    """Redis has no counters for the account; they must be restored before anything is admitted."""


@dataclass(frozen=True, slots=True)
class Use:
    """One limit as one decision saw it. ``reset`` is in Unix seconds; None means never."""

    limit: Limit
    used: int
    asked: int
    reset: int | None

    @property
    def remaining(self) -> int:
        return max(0, self.limit.amount - self.used)

    @property
    def exceeded(self) -> bool:
        return self.used + self.asked > self.limit.amount

    def headers(self) -> Headers:
        unit = self.limit.unit.capitalize() + FOR_WINDOW[self.limit.window]
        headers = [
            (f"x-ratelimit-limit-{unit}".lower().encode(), b"%d" % self.limit.amount),
            (f"x-ratelimit-remaining-{unit}".lower().encode(), b"%d" % self.remaining),
        ]
        if self.reset is not None:
            headers.append((f"x-ratelimit-reset-{unit}".lower().encode(), b"%d" % self.reset))
        return headers


@dataclass(frozen=True, slots=True)
class Decision:
    """What was looked at, used, asked and left."""

    admitted: bool
    now: int
    uses: tuple[Use, ...]

    def headers(self) -> Headers:
        return [header for use in self.uses for header in use.headers()]

    def as_record(self) -> dict[str, Any]:
        """The decision for the log row."""
        return {
            "admitted": self.admitted,
            "limits": [
                {
                    "name": use.limit.name,
                    "limit": use.limit.amount,
                    "used": use.used,
                    "asked": use.asked,
                    "reset": use.reset,
                }
                for use in self.uses
            ],
        }

    def refusal(self) -> RateLimited:
        """The 429 that says which limit refused, by how much, and when the request would pass."""
        exceeded = [use for use in self.uses if use.exceeded]
        never = next((use for use in exceeded if use.reset is None), None)
        if never:
            return RateLimited(
                f"This request asks for {never.asked:,} tokens, more than the "
                f"{never.limit.amount:,} your plan allows in any {never.limit.window}. "
                "Ask for fewer with max_tokens or a shorter prompt.",
                code="request_exceeds_limit",
                should_retry=False,
            )
        worst = max(exceeded, key=lambda use: use.reset or 0)
        wait = max(1, (worst.reset or 0) - self.now)
        unit, window = worst.limit.unit, worst.limit.window
        return RateLimited(
            f"Rate limit reached: your plan allows {worst.limit.amount:,} {unit} per {window}, "
            f"{worst.used:,} are used and this request asks for {worst.asked:,}. "
            f"It would pass in {wait} s.",
            code="rate_limit_exceeded" if window == "minute" else "quota_exceeded",
            retry_after=wait,
            should_retry=None if window == "minute" else False,
        )


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
        self, account_id: int, epoch: int, limits: Limits, *, lease: str, tokens: int
    ) -> Decision:
        """Reserve one request and ``tokens``, or say why not. Raises Stale, Cold, Unavailable."""
        return await self._ask("admit", account_id, epoch, limits, lease, tokens)

    async def peek(self, account_id: int, epoch: int, limits: Limits) -> Decision:
        """The state of every limit; reserves nothing. Raises Stale, Cold, Unavailable."""
        return await self._ask("peek", account_id, epoch, limits, "", 0)

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
        limits: Limits,
        lease: str,
        tokens: int,
    ) -> Decision:
        amounts = {limit.name: limit.amount for limit in limits}
        reply = await self._run(
            account_id,
            verb,
            epoch,
            month_of(datetime.now(UTC)),
            lease,
            tokens,
            *[amounts.get(name, -1) for name in NAMES],
        )
        verdict = reply[0]
        if verdict == b"stale":
            raise Stale
        if verdict == b"cold":
            raise Cold
        return read(reply, limits, tokens, asked=verb == "admit")

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


def read(reply: list[Any], limits: Limits, tokens: int, *, asked: bool) -> Decision:
    """The script's answer as a Decision. ``used`` is what counted before this request."""
    verdict, now, last, *numbers = reply
    counts, passes = numbers[:6], numbers[6:]
    admitted = verdict == b"ok"
    uses = []
    for limit in limits:
        position = list(NAMES).index(limit.name)
        ask = (1 if limit.unit == "requests" else tokens) if asked else 0
        reset: int | None = window_end(limit, now, last)
        if passes[position % 2] and limit.window == "minute":
            reset = passes[position % 2] if passes[position % 2] > 0 else None
        elif ask > limit.amount:
            reset = None
        uses.append(Use(limit, counts[position], 0 if admitted else ask, reset))
    return Decision(admitted, now, tuple(uses))


def window_end(limit: Limit, now: int, last: int) -> int:
    """When the window will be empty if nothing more comes, in Unix seconds."""
    if limit.window == "minute":
        return max(now, last + MINUTE_CELLS)
    if limit.window == "day":
        return (now // DAY + 1) * DAY
    today = datetime.fromtimestamp(now, UTC)
    year, month = (today.year, today.month + 1) if today.month < 12 else (today.year + 1, 1)
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())


def month_of(moment: datetime) -> int:
    """The first second of the UTC month, which also is its name."""
    return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp())


def lease_for(request_id: str, tokens: int) -> str:
    """The name of a reservation, known before it is made."""
    return f"{request_id}|{tokens}"
