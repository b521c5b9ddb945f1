"""A provider with many faces: the name of the model says how it misbehaves.

``hang-after:50@17`` is the behaviour ``hang-after`` with the argument 50, asked for by case 17.
"""

import asyncio
import contextlib
import json
import threading
import time
from itertools import count

from tests.upstream import behaviours_content, behaviours_http, behaviours_silence
from tests.upstream.exchange import BEHAVIOURS, Exchange, Left, Trace

__all__ = ["behaviours_content", "behaviours_http", "behaviours_silence"]
EARLY = "/early"  # under this path the answer comes before the request's body was read


class Zoo:
    """Listens on a port of its own, in a thread of its own, and remembers every request."""

    def __init__(self) -> None:
        self.log: list[Trace] = []
        self.connections = 0  # open just now
        self.port = 0
        self._numbers = count()

    def __enter__(self) -> "Zoo":
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def early_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{EARLY}/v1"

    def of(self, case: str) -> list[Trace]:
        """The requests that one case has caused, retries and all."""
        return [trace for trace in list(self.log) if trace.case == case]

    def busy(self, case: str | None = None) -> int:
        """Requests whose connection the gateway still holds open."""
        traces = list(self.log) if case is None else self.of(case)
        return sum(not trace.over for trace in traces)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=4096)
        )
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, accepted_at = next(self._numbers), time.monotonic()
        self.connections += 1
        try:
            for earlier in count():
                exchange = await self._request(reader, writer, number, accepted_at, earlier)
                if not exchange.keep:
                    break
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            self.connections -= 1
            with contextlib.suppress(OSError):
                writer.close()

    async def _request(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
        accepted_at: float,
        earlier: int,
    ) -> Exchange:
        """Read one request and do to it what its model says."""
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        trace = Trace("", path, number, accepted_at, request_bytes=len(head))
        exchange = Exchange(reader, writer, trace, path, earlier)
        if path.startswith(EARLY):
            await BEHAVIOURS["normal"](exchange)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        body = await reader.readexactly(length)
        trace.request_bytes += length
        trace.request = json.loads(body) if body else {}
        trace.behaviour, _, trace.case = trace.request.get("model", "canary").partition("@")
        self.log.append(trace)
        try:
            if not path.startswith(EARLY):
                await BEHAVIOURS[trace.behaviour.partition(":")[0]](exchange)
        except Left:
            exchange.left()
            exchange.keep = False
        finally:
            trace.over = True
        return exchange
