"""PostgreSQL from the event loop: the few queries that fill the gateway's caches."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, close_old_connections

from gateway.errors import Unavailable

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
DEADLINE = 3.0  # seconds; a server that accepts and never answers counts as away
_threads = ThreadPoolExecutor(4, thread_name_prefix="gateway-database")


async def query(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ORM code in a thread of its own. Raises Unavailable where PostgreSQL is away."""

    def run() -> T:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    try:
        async with asyncio.timeout(DEADLINE):
            return await asyncio.get_running_loop().run_in_executor(_threads, run)
    except (DatabaseError, TimeoutError) as error:
        log.warning("PostgreSQL did not answer: %s", error or "silence")
        raise Unavailable("The service cannot look this up at the moment.") from error


async def attempt(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """The same for what nobody waits for: that PostgreSQL is away is in our log, no more."""
    with contextlib.suppress(Unavailable):
        await query(function, *args, **kwargs)
