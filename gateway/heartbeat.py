"""What runs just now: a sign of life on streams that are silent for long, so that no proxy on the
way cuts them; and an end to what must not go on.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.call import Call
from gateway.errors import APIError

SILENCE = 15.0  # seconds; proxies usually wait for thirty or sixty
LOOK_EVERY = 1.0
SIGN = b": keep-alive\n\n"  # a comment: no client takes it for an event


class Heartbeat:
    """One look a second at all streams; a timer for each would cost every chunk of each."""

    def __init__(self) -> None:
        self._streams: dict[Call, asyncio.Task[Any]] = {}
        self._signs: set[asyncio.Task[None]] = set()

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Within, ``call`` may have a stream open, and can be cut off."""
        task = asyncio.current_task()
        assert task is not None
        self._streams[call] = task
        try:
            yield
        finally:
            del self._streams[call]

    def __iter__(self) -> Iterator[Call]:
        """Every call that is being answered."""
        return iter(list(self._streams))

    def cut(self, call: Call, reason: APIError) -> None:
        """Break off a call, if it still runs: what was delivered is charged, and it says why."""
        task = self._streams.get(call)
        if task and not task.cancelling():
            call.cut_off = reason
            task.cancel()

    async def keep_beating(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            due = time.monotonic() - SILENCE
            for call in [call for call in self._streams if is_silent(call, due)]:
                sign = asyncio.create_task(call.write(SIGN))  # nobody waits for a slow client
                self._signs.add(sign)
                sign.add_done_callback(self._signs.discard)


def is_silent(call: Call, since: float) -> bool:
    """Whether a stream is open to which nothing was written, or tried to be, for so long."""
    return call.status == 200 and not call.ended and not call.writing and call.written_at < since
