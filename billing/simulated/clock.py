"""The time that the simulated Stripe lives in: the real one and what it was advanced by.

A frozen clock stands still between advances, so that a test sees the same seconds each time.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from billing.simulated.store import Store


class Clock:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._moment: int | None = None

    def now(self) -> int:
        if self._moment is not None:
            return self._moment
        frozen: int | None = self._store.fact("frozen_at", None)
        return frozen if frozen is not None else int(time.time()) + self._store.fact("ahead", 0)

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Live in a past moment for a while, as when an invoice falls due between two advances."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before

    def freeze(self) -> None:
        self._store.set_fact("frozen_at", self.now())

    def set(self, moment: int) -> None:
        if self._store.fact("frozen_at", None) is not None:
            self._store.set_fact("frozen_at", moment)
        else:
            self._store.set_fact("ahead", moment - int(time.time()))
