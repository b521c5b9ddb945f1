"""From a host's name to a socket: whichever of its addresses answers first."""

import asyncio
import socket
from asyncio import FIRST_COMPLETED
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from typing import Any

STAGGER = 0.25  # seconds that one address has before the next is tried beside it (RFC 8305)
KNOWN_FOR = 10.0  # seconds that the addresses of a name are believed

Address = tuple[int, Any]  # a family, and what its sockets connect to
Try = asyncio.Task[socket.socket]


class Addresses:
    """Remembers names for a moment; callers that come meanwhile share one question."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], tuple[float, asyncio.Task[list[Address]]]] = {}

    async def of(self, host: str, port: int) -> list[Address]:
        """In the order in which to try them. Raises OSError, UnicodeError."""
        now = asyncio.get_running_loop().time()
        asked_at, task = self._asked.get((host, port), (0.0, None))
        if task is None or now - asked_at > KNOWN_FOR or (task.done() and task.exception()):
            task = asyncio.create_task(resolve(host, port))
            task.add_done_callback(looked_at)
            self._asked[host, port] = now, task
        return await asyncio.shield(task)


def looked_at(task: asyncio.Task[list[Address]]) -> None:
    """A failure that nobody waits for any more is no news."""
    if not task.cancelled():
        task.exception()


async def resolve(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(in_turn((family, address) for family, _, _, _, address in found))


def in_turn(addresses: Iterable[Address]) -> Iterator[Address]:
    """One of each family after the other, so that a family without a way costs one try."""
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return filter(None, chain(*zip_longest(*families.values())))


async def connected_socket(addresses: list[Address]) -> socket.socket:
    """To the first that answers; the others are given up. Raises OSError."""
    waiting, tries = deque(addresses), set[Try]()
    trouble: BaseException | None = None
    try:
        while waiting or tries:
            if waiting:
                tries.add(asyncio.create_task(connect(waiting.popleft())))
            patience = STAGGER if waiting else None
            done, _ = await asyncio.wait(tries, timeout=patience, return_when=FIRST_COMPLETED)
            for task in done:
                tries.discard(task)
                trouble = task.exception()
                if trouble is None:
                    tries |= done - {task}
                    return task.result()
    finally:
        for task in tries:
            task.add_done_callback(give_up)
            task.cancel()
    raise trouble or OSError("a name without addresses")


def give_up(task: Try) -> None:
    if not task.cancelled() and not task.exception():
        task.result().close()


async def connect(address: Address) -> socket.socket:
    family, where = address
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setblocking(False)
        await asyncio.get_running_loop().sock_connect(found, where)
    except BaseException:
        found.close()
        raise
    return found
