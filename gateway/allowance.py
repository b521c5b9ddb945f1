"""So many and no more in a while: what one process grants by itself, without asking anybody."""

import time
from collections.abc import Hashable

REMEMBERED = 10_000  # names, the oldest go first


class Allowance:
    """At most ``most`` for each name within ``seconds`` from its first one."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._taken: dict[Hashable, tuple[float, int]] = {}  # since when, how many

    def take(self, name: Hashable) -> bool:
        """Whether ``name`` may have one more, which is then taken."""
        now = time.monotonic()
        began, taken = self._taken.get(name, (now, 0))
        if now - began >= self._seconds:
            del self._taken[name]  # so that it is the youngest again
            began, taken = now, 0
        if taken >= self._most:
            return False
        self._taken[name] = began, taken + 1
        if len(self._taken) > REMEMBERED:
            del self._taken[next(iter(self._taken))]
        return True
