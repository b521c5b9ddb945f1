"""How much an account or a key may use: a number of a unit in a window.

A limit is named ``<unit>_per_<window>``: ``requests_per_minute``, ``tokens_per_day``. It is hard:
what exceeds it is refused. With ``soft_`` before its name it refuses nothing; that it was passed
is written down and told. Plans, overrides and keys hold a mapping of such names to numbers; an
absent name is no limit. The window of a key can also be its lifetime.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["requests", "tokens"]
Window = Literal["minute", "day", "month", "lifetime"]
Named = Mapping[str, tuple[Unit, Window]]
SOFT = "soft_"

NAMES: dict[str, tuple[Unit, Window]] = {
    "requests_per_minute": ("requests", "minute"),
    "tokens_per_minute": ("tokens", "minute"),
    "requests_per_day": ("requests", "day"),
    "tokens_per_day": ("tokens", "day"),
    "requests_per_month": ("requests", "month"),
    "tokens_per_month": ("tokens", "month"),
}
OF_KEYS: dict[str, tuple[Unit, Window]] = NAMES | {
    "requests_per_lifetime": ("requests", "lifetime"),
    "tokens_per_lifetime": ("tokens", "lifetime"),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``amount`` of ``unit`` in any ``window``; a soft one is only a promise."""

    name: str
    unit: Unit
    window: Window
    amount: int
    soft: bool = False


Limits = tuple[Limit, ...]


def parse(amounts: Mapping[str, int], names: Named = NAMES) -> Limits:
    """The limits of a mapping, hard before soft; ValueError names what is wrong.

    >>> parse({"soft_tokens_per_day": 5})
    (Limit(name='soft_tokens_per_day', unit='tokens', window='day', amount=5, soft=True),)
    """
    if not isinstance(amounts, Mapping):
        raise ValueError(f"limits are a mapping of names to numbers, not {amounts!r}")
    known = [*names, *(SOFT + name for name in names)]
    for name, amount in amounts.items():
        if name not in known:
            raise ValueError(f"{name!r} is not a limit; known are {', '.join(known)}")
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount < 2**53:
            raise ValueError(f"{name} must be a whole number of at least 0, not {amount!r}")
    return tuple(
        Limit(name, *names[name.removeprefix(SOFT)], amounts[name], name.startswith(SOFT))
        for name in known
        if name in amounts
    )
