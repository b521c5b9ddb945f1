"""Full batches are stored by a thread, so that the next one is read and made ready meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connections

from usage import posting
from usage.posting import Ready
from usage.records import Final

Store = Callable[[list[Final], Ready], int]  # how many rows were new


class Backlog:
    """Stores one batch after the other, each as a whole. ``unstored`` are those that may not be.

    The thread has a connection of its own; both are there only once there is a batch.
    """

    def __init__(self, store: Store) -> None:
        self.unstored: list[Final] = []
        self._store = store
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: tuple[int, Future[int]] | None = None

    def add(self, finals: list[Final]) -> int:
        """Have a batch stored; how many rows of the one before were new, or what went wrong."""
        self.unstored += finals
        ready = posting.prepare(finals)
        stored = self.wait()
        self._thread = self._thread or ThreadPoolExecutor(1)
        self._under_way = len(finals), self._thread.submit(self._store, finals, ready)
        return stored

    def wait(self) -> int:
        """How many rows of the last batch were new, or what went wrong."""
        if self._under_way is None:
            return 0
        (number, future), self._under_way = self._under_way, None
        stored = future.result()
        del self.unstored[:number]
        return stored

    def close(self) -> None:
        """End the thread once it has done what it is at."""
        with contextlib.suppress(Exception):  # what was to be told of is told of already
            self.wait()
        if self._thread:
            self._thread.submit(connections.close_all)  # its own, not ours
            self._thread.shutdown()
