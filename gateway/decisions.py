"""What one look at the limits said: headers, the 429 body and the log row are views of it."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct

from billing.limits import NAMES, Limit, Limits, Unit, Window
from gateway.errors import Headers, RateLimited

DAY = 86400
MINUTE_CELLS = 61  # a one-second cell counts until 61 seconds after it began
FOR_WINDOW = {"minute": "", "day": "-day", "month": "-month"}
POSITIONS = {name: position for position, name in enumerate(NAMES)}


class Use(Struct, frozen=True):
    """One limit as one decision saw it. ``reset`` is in Unix seconds; None means never."""

    name: str
    limit: int
    used: int
    asked: int
    reset: int | None

    @property
    def unit(self) -> Unit:
        return NAMES[self.name][0]

    @property
    def window(self) -> Window:
        return NAMES[self.name][1]

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def exceeded(self) -> bool:
        return self.used + self.asked > self.limit


class Decision(Struct, frozen=True):
    """What was looked at, used, asked and left, and the headers that tell it."""

    admitted: bool
    now: int
    uses: list[Use]
    headers: Headers

    def refusal(self) -> RateLimited:
        """The 429 that says which limit refused, by how much, and when the request would pass."""
        exceeded = [use for use in self.uses if use.exceeded]
        never = next((use for use in exceeded if use.reset is None), None)
        if never:
            return RateLimited(
                f"This request asks for {never.asked:,} {never.unit}, more than the "
                f"{never.limit:,} your plan allows in any {never.window}. "
                "Ask for fewer with max_tokens or a shorter prompt.",
                code="request_exceeds_limit",
                should_retry=False,
            )
        worst = max(exceeded, key=lambda use: use.reset or 0)
        wait = max(1, (worst.reset or 0) - self.now)
        return RateLimited(
            f"Rate limit reached: your plan allows {worst.limit:,} {worst.unit} per "
            f"{worst.window}, {worst.used:,} are used and this request asks for "
            f"{worst.asked:,}. It would pass in {wait} s.",
            code="rate_limit_exceeded" if worst.window == "minute" else "quota_exceeded",
            retry_after=wait,
            should_retry=None if worst.window == "minute" else False,
        )


class Policy:
    """The limits of one caller, in the forms that the hot path needs them."""

    def __init__(self, limits: Limits) -> None:
        self._rows = [(limit, POSITIONS[limit.name], *names(limit)) for limit in limits]
        amounts = {limit.name: limit.amount for limit in limits}
        self.amounts = [amounts.get(name, -1) for name in NAMES]

    def read(self, reply: list[Any], tokens: int, *, asked: bool) -> Decision:
        """The script's answer as a Decision. ``used`` holds this request once it is admitted."""
        verdict, now, last, *numbers = reply
        admitted = verdict == b"ok"
        empty_at = {  # if no other request comes
            "minute": max(now, last + MINUTE_CELLS),
            "day": (now // DAY + 1) * DAY,
            "month": next_month(now // DAY),
        }
        uses: list[Use] = []
        headers: Headers = []
        for limit, position, shown, remaining, reset in self._rows:
            used, ask, amount = numbers[position], 0, limit.amount
            end: int | None = empty_at[limit.window]
            if asked and not admitted:
                ask = 1 if limit.unit == "requests" else tokens
                passes = numbers[6 + position % 2] if limit.window == "minute" else 0
                end = None if ask > amount else passes or end
            uses.append(Use(limit.name, amount, used, ask, end))
            headers += (shown, (remaining, b"%d" % (amount - used if used < amount else 0)))
            if end is not None:
                headers.append((reset, b"%d" % end))
        return Decision(admitted, now, uses, headers)


def names(limit: Limit) -> tuple[tuple[bytes, bytes], bytes, bytes]:
    """The header that states the limit, and the names of those for what is left and the reset."""
    unit = limit.unit + FOR_WINDOW[limit.window]
    name = f"x-ratelimit-{{}}-{unit}"
    return (
        (name.format("limit").encode(), b"%d" % limit.amount),
        name.format("remaining").encode(),
        name.format("reset").encode(),
    )


@lru_cache(maxsize=4)
def next_month(day: int) -> int:
    """The first second of the month after that of a day, counted from 1970."""
    today = datetime.fromtimestamp(day * DAY, UTC)
    year, month = (today.year, today.month + 1) if today.month < 12 else (today.year + 1, 1)
    return month_of(datetime(year, month, 1, tzinfo=UTC))


@lru_cache(maxsize=4)
def this_month(day: int) -> int:
    """The first second of the month of a day, counted from 1970."""
    return month_of(datetime.fromtimestamp(day * DAY, UTC))


def month_of(moment: datetime) -> int:
    """The first second of the UTC month, which also is its name."""
    return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp())
