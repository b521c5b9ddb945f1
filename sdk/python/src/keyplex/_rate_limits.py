"""What the ``X-RateLimit-…`` headers say, which come with refusals and answers alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

LIMIT, REMAINING, RESET = (f"x-ratelimit-{what}-" for what in ("limit", "remaining", "reset"))
LATEST = 253_402_300_799  # in the year 9999


@dataclass(frozen=True)
class RateLimit:
    """One limit. ``reset`` is when its window is empty again if nothing else comes; or never."""

    limit: int
    remaining: int
    reset: datetime | None


def rate_limits(headers: Mapping[str, str]) -> dict[str, RateLimit]:
    """By name: ``requests`` and ``tokens`` are per minute, ``tokens-day`` and so on per day.

    What is not told in whole numbers is left out.
    """
    told = {name.lower(): value for name, value in headers.items()}
    names = [name.removeprefix(LIMIT) for name in told if name.startswith(LIMIT)]
    found = {
        name: (whole(told.get(LIMIT + name)), whole(told.get(REMAINING + name))) for name in names
    }
    return {
        name: RateLimit(limit, remaining, moment(told.get(RESET + name)))
        for name, (limit, remaining) in found.items()
        if limit is not None and remaining is not None
    }


def whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def moment(text: str | None) -> datetime | None:
    seconds = whole(text)
    return None if seconds is None or seconds > LATEST else datetime.fromtimestamp(seconds, UTC)
