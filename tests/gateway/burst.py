"""Many requests at the very same moment, each on a connection of its own."""

import asyncio
import json
from collections import Counter

CHAT = "/v1/chat/completions"


def request(key: str, body: dict[str, object], path: str = CHAT) -> bytes:
    """The bytes of one POST that closes its connection."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + content


def statuses(port: int, message: bytes, number: int) -> Counter[int]:
    """Connect ``number`` times, then send everything at once; how often each status came."""

    async def run() -> Counter[int]:
        opened = [asyncio.open_connection("127.0.0.1", port) for _ in range(number)]
        connections = await asyncio.gather(*opened)

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
            writer.write(message)
            async with asyncio.timeout(60):
                answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return int(answer.split(b" ", 2)[1])

        return Counter(await asyncio.gather(*[one(*pair) for pair in connections]))

    return asyncio.run(run())
