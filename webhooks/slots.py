"""How many attempts this process makes at the same time for one endpoint.

Its threads are what a receiver that says nothing would use up, so they are what is shared out.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from webhooks.endpoints import Endpoint

ANSWERING, OTHERS = 4, 1  # several only where each attempt is answered


class Slots:
    """Threads that look after an endpoint, by its pk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    @contextmanager
    def one_of(self, endpoint: Endpoint) -> Iterator[bool]:
        """A slot for as long as the block lasts; False if there is none free."""
        most = ANSWERING if endpoint.answers_since else OTHERS
        with self._lock:
            free = self._taken[endpoint.pk] < most
            self._taken[endpoint.pk] += free
        try:
            yield free
        finally:
            if free:
                self._give_back(endpoint.pk)

    def _give_back(self, pk: int) -> None:
        with self._lock:
            self._taken[pk] -= 1
            if not self._taken[pk]:
                del self._taken[pk]
