"""What one look at the limits said: headers, the 429 body and the log row are views of it."""

from typing import Literal

from msgspec import Struct

from billing.limits import OF_KEYS, SOFT, Unit, Window
from gateway.errors import Headers, RateLimited

Scope = Literal["account", "key"]


class Use(Struct, frozen=True, omit_defaults=True):
    """One limit as one decision saw it. Moments are in Unix seconds.

    ``used`` is what others had used before, ``remaining`` what is left after this request if it
    was admitted. A request that would exceed a hard limit passes at ``passes_at`` if no other
    comes; None means never. ``reset`` is when the window is empty if no other request comes, or,
    where this limit refused, when the request passes. A lifetime has no reset.
    """

    name: str
    limit: int
    used: int
    asked: int
    remaining: int
    reset: int | None
    passes_at: int | None = None
    scope: Scope = "account"

    @property
    def soft(self) -> bool:
        return self.name.startswith(SOFT)

    @property
    def unit(self) -> Unit:
        return OF_KEYS[self.name.removeprefix(SOFT)][0]

    @property
    def window(self) -> Window:
        return OF_KEYS[self.name.removeprefix(SOFT)][1]

    @property
    def exceeded(self) -> bool:
        """Whether this request is more than the limit allows; a soft one lets it pass."""
        return self.used + self.asked > self.limit


class Decision(Struct, frozen=True):
    """What was looked at, used, asked and left, and the headers that tell it.

    ``degraded`` if it was taken without Redis.
    """

    admitted: bool
    now: int
    uses: list[Use]
    headers: Headers
    degraded: bool = False

    @property
    def refused_by(self) -> list[Use]:
        """The hard limits that this request exceeds; none if it was admitted."""
        return [use for use in self.uses if not (use.soft or self.admitted) and use.exceeded]

    @property
    def passes_at(self) -> int | None:
        """When this very request would pass if no other came: now, later, or never (None)."""
        moments = [use.passes_at for use in self.refused_by]
        return None if None in moments else max([self.now, *(m for m in moments if m)])

    def refusal(self) -> RateLimited:
        """The 429 that says which limit refused, by how much, and when the request would pass."""
        never = next((use for use in self.refused_by if use.passes_at is None), None)
        if never and never.window == "lifetime":
            return used_up(never)
        if never:
            return RateLimited(
                f"This request asks for {never.asked:,} {never.unit}, more than the "
                f"{never.limit:,} {WHOSE[never.scope]} allows in any {never.window}. "
                "Ask for fewer with max_tokens or a shorter prompt.",
                code="request_exceeds_limit",
                should_retry=False,
            )
        worst = max(self.refused_by, key=lambda use: use.passes_at or 0)
        wait = max(1, (worst.passes_at or 0) - self.now)
        return RateLimited(
            f"Rate limit reached: {WHOSE[worst.scope]} allows {worst.limit:,} {worst.unit} per "
            f"{worst.window}, {worst.used:,} are used and this request asks for "
            f"{worst.asked:,}. It would pass in {wait} s.",
            code="rate_limit_exceeded" if worst.window == "minute" else "quota_exceeded",
            retry_after=wait,
            should_retry=None if worst.window == "minute" else False,
        )


def used_up(use: Use) -> RateLimited:
    """Nothing brings a lifetime back but another limit or another key."""
    return RateLimited(
        f"T{WHOSE[use.scope][1:]} may use {use.limit:,} {use.unit} in its lifetime, "
        f"{use.used:,} are used and this request asks for {use.asked:,}. Use another key, "
        "or have its limit raised.",
        code="lifetime_limit_reached",
        should_retry=False,
    )


WHOSE: dict[Scope, str] = {"account": "your plan", "key": "this API key"}
