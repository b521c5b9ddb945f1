"""A receiver of webhooks that says yes at once, and a black hole that accepts and says nothing."""

import asyncio
import sys

YES = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


async def say_yes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    await reader.readexactly(length)
    writer.write(YES)
    await writer.drain()
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def listen(good: int, bad: int) -> None:
    servers = [
        await asyncio.start_server(say_yes, "127.0.0.1", good, backlog=512),
        await asyncio.start_server(say_nothing, "127.0.0.1", bad, backlog=512),
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(listen(*map(int, sys.argv[1:3])))
