"""Clients that ask at a steady rate, half of them for streams, and remember what they saw."""

import asyncio
import json
import threading
from itertools import count

from tests.crash.ledger import Seen
from tests.gateway.burst import request
from tests.provider import PIECE

PIECE_SENT = f'"content": "{PIECE}"'.encode()
PIECE_SENT_TIGHT = f'"content":"{PIECE}"'.encode()


class Load:
    """A thread with clients; ``stop`` waits for the last answer and gives what each saw."""

    def __init__(self, port: int, key: str, *, model: str, per_second: int) -> None:
        self._port, self._key, self._model = port, key, model
        self._pause = 1 / per_second
        self._stopping = threading.Event()
        self._seen: list[Seen] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    def stop(self) -> list[Seen]:
        self._stopping.set()
        self._thread.join(60)
        return self._seen

    async def _run(self) -> None:
        calls = set()
        for number in count():
            if self._stopping.is_set():
                break
            one = Seen(who=f"client-{number}", streamed=number % 2 == 0)
            self._seen.append(one)
            calls.add(asyncio.create_task(self._call(one)))
            await asyncio.sleep(self._pause)
        await asyncio.gather(*calls)

    async def _call(self, one: Seen) -> None:
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": "Hi"}],
            "user": one.who,
            "stream": one.streamed,
        }
        received = b""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(request(self._key, body))
            while chunk := await reader.read(65536):
                received += chunk
            writer.close()
        except OSError:
            pass  # killed under our hands; what arrived counts
        head, found, answer = received.partition(b"\r\n\r\n")
        if found:
            one.status = int(head.split(b" ", 2)[1])
            one.tokens = answer.count(PIECE_SENT) + answer.count(PIECE_SENT_TIGHT)
            one.complete = is_complete(one, head, answer)


def is_complete(one: Seen, head: bytes, answer: bytes) -> bool:
    """Whether the client got everything: ``[DONE]``, or as many bytes as were announced."""
    if one.streamed and one.status == 200:
        return b"data: [DONE]\n\n" in answer
    try:
        json.loads(answer)
    except ValueError:
        return False
    return b"content-length" in head.lower()
