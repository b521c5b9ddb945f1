"""How much an account may use: a number of a unit in a window.

A limit is named ``<unit>_per_<window>``: ``requests_per_minute``, ``tokens_per_day``. Plans and
overrides hold a mapping of such names to numbers; an absent name is no limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["requests", "tokens"]
Window = Literal["minute", "day", "month"]

NAMES: dict[str, tuple[Unit, Window]] = {
    "requests_per_minute": ("requests", "minute"),
    "tokens_per_minute": ("tokens", "minute"),
    "requests_per_day": ("requests", "day"),
    "tokens_per_day": ("tokens", "day"),
    "requests_per_month": ("requests", "month"),
    "tokens_per_month": ("tokens", "month"),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``amount`` of ``unit`` in any ``window``."""

    name: str
    unit: Unit
    window: Window
    amount: int


Limits = tuple[Limit, ...]


def parse(amounts: Mapping[str, int]) -> Limits:
    """The limits of a mapping, in the order of ``NAMES``; ValueError names what is wrong.

    >>> parse({"tokens_per_day": 5})
    (Limit(name='tokens_per_day', unit='tokens', window='day', amount=5),)
    """
    for name, amount in amounts.items():
        if name not in NAMES:
            raise ValueError(f"{name!r} is not a limit; known are {', '.join(NAMES)}")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
            raise ValueError(f"{name} must be a whole number of at least 0, not {amount!r}")
    return tuple(Limit(name, *NAMES[name], amounts[name]) for name in NAMES if name in amounts)
