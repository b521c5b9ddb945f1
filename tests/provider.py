"""A provider that knows exactly what it sent: raw sockets and known token counts."""

import asyncio
import json
import threading
from dataclasses import dataclass, field

PIECE = "four"  # one token of four bytes
PROMPT_TOKENS = 7


@dataclass
class Provider:
    """Serves ``POST /v1/chat/completions`` on a port of its own, in a thread of its own.

    A stream has ``tokens`` chunks, one every ``pace`` seconds. ``calls`` counts, by end user, the
    requests that arrived.
    """

    tokens: int = 40
    pace: float = 0.01
    port: int = 0
    calls: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> "Provider":
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

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=1024)
        )
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                request = json.loads(await reader.readexactly(length))
                who = request.get("user", "")
                self.calls[who] = self.calls.get(who, 0) + 1
                await (self._stream if request.get("stream") else self._whole)(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _whole(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.pace)
        message = {"role": "assistant", "content": PIECE * self.tokens}
        body = self._document(choices=[{"index": 0, "message": message, "finish_reason": "stop"}])
        content = json.dumps(body | {"usage": self._usage()}).encode()
        head = (
            f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}"
        )
        writer.write(head.encode() + b"\r\n\r\n" + content)
        await writer.drain()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
        writer.write(b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(self.tokens):
            choice = {"index": 0, "delta": {"content": PIECE}, "finish_reason": None}
            self._event(writer, json.dumps(self._document(choices=[choice])))
            await writer.drain()
            await asyncio.sleep(self.pace)
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self._event(writer, json.dumps(self._document(choices=[end])))
        self._event(writer, json.dumps(self._document(choices=[]) | {"usage": self._usage()}))
        self._event(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    @staticmethod
    def _event(writer: asyncio.StreamWriter, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))

    @staticmethod
    def _document(**more: object) -> dict[str, object]:
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"} | more

    def _usage(self) -> dict[str, int]:
        total = PROMPT_TOKENS + self.tokens
        return {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": self.tokens,
            "total_tokens": total,
        }
