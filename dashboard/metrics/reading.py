"""Asks every source, each by itself: one that fails is missing from the page, and told of there.

The sources of one store are asked in turn, by a thread of their own. A store that hangs keeps that
thread and nothing else: nobody waits for it longer than ``DEADLINE``, and it is not asked again
until it has let go.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction
from prometheus_client.core import Metric

log = logging.getLogger(__name__)
DEADLINE = 5.0  # seconds for all; Prometheus gives up after ten
LONGEST_QUERY = 1500  # milliseconds
Source = Callable[[], Iterable[Metric]]
Readings = dict[str, list[Metric] | None]  # None where a source failed


class Store:
    """Sources that one thread asks, one after the other."""

    def __init__(self, name: str, sources: dict[str, Source]) -> None:
        self._sources = sources
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"metrics-{name}")
        self._asking: asyncio.Future[None] | None = None

    async def read(self) -> Readings:
        """What they said within the deadline."""
        found: Readings = dict.fromkeys(self._sources)
        if self._asking is None or self._asking.done():
            loop = asyncio.get_running_loop()
            self._asking = loop.run_in_executor(self._thread, self.ask_all, found)
        await asyncio.wait([self._asking], timeout=DEADLINE)
        return dict(found)

    def ask_all(self, found: Readings) -> None:
        for name, source in self._sources.items():
            try:
                found[name] = self.ask(source)
            except Exception as error:
                log.warning("the metrics are without %s: %s", name, error)

    def ask(self, source: Source) -> list[Metric]:
        return list(source())


class Database(Store):
    """Sources in PostgreSQL; none may keep it busy for long, nor a connection between scrapes."""

    def ask_all(self, found: Readings) -> None:
        try:
            super().ask_all(found)
        finally:
            connection.close()

    def ask(self, source: Source) -> list[Metric]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_QUERY}")
            return list(source())
