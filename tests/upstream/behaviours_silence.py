"""Providers that fall silent, break off, dawdle or never stop (rows 2-7, 17, 25, 26, 29, 30)."""

import asyncio
import json

from tests.provider import PIECE
from tests.upstream import answers
from tests.upstream.exchange import EVENTS, JSON, Exchange, behaviour

BIG_PIECE = "four" * 16_384  # 64 KiB
DRIP = 0.1  # seconds from one byte to the next


@behaviour
async def normal(x: Exchange) -> None:
    """Exactly what was asked for; the argument is how many tokens."""
    await right_answer(x, int(x.argument or answers.TOKENS))


async def right_answer(x: Exchange, tokens: int = answers.TOKENS) -> None:
    x.trace.tokens = tokens
    if x.streamed:
        await x.stream(*answers.stream(x.kind, tokens), b"[DONE]")
    else:
        await x.answer(answers.whole(x.kind, tokens))


async def tokens_of_stream(x: Exchange, number: int) -> None:
    """Headers and so many tokens; the stream stays open."""
    await x.open_stream()
    for event in answers.pieces(x.kind, number):
        await x.event(event)
    x.trace.tokens = number


async def half_a_body(x: Exchange) -> None:
    """All the headers of a whole answer, and its first half."""
    content = json.dumps(answers.whole(x.kind)).encode()
    await x.head(content_type=JSON, content_length=len(content))
    await x.send(content[: len(content) // 2])


@behaviour
async def hang_headers(x: Exchange) -> None:
    await x.until_left()


@behaviour
async def hang_after_headers(x: Exchange) -> None:
    if x.streamed:
        await x.open_stream()
    else:
        await x.head(content_type=JSON, content_length=1000)
    await x.until_left()


@behaviour
async def hang_after(x: Exchange) -> None:
    """So many tokens, then nothing; half a body where no stream was asked for."""
    await (tokens_of_stream(x, int(x.argument)) if x.streamed else half_a_body(x))
    await x.until_left()


@behaviour
async def close_at_once(x: Exchange) -> None:
    x.close()


@behaviour
async def reset_at_once(x: Exchange) -> None:
    x.reset()


@behaviour
async def close_after(x: Exchange) -> None:
    """So many tokens, then the end of the connection without the end of the stream."""
    await (tokens_of_stream(x, int(x.argument)) if x.streamed else half_a_body(x))
    x.close()


@behaviour
async def reset_after(x: Exchange) -> None:
    """As ``close-after``, but broken off; later, for a reset may destroy what is unread."""
    await (tokens_of_stream(x, int(x.argument)) if x.streamed else half_a_body(x))
    await asyncio.sleep(0.1)
    x.reset()


@behaviour
async def no_done(x: Exchange) -> None:
    await x.stream(*answers.stream(x.kind))


@behaviour
async def no_finish(x: Exchange) -> None:
    """The stream ends in good order, but nobody said that the answer had."""
    await x.stream(*answers.pieces(x.kind))


@behaviour
async def drip(x: Exchange) -> None:
    """Two tokens, then an event that comes a byte at a time and never ends."""
    if x.streamed:
        await tokens_of_stream(x, 2)
    else:
        await x.head(content_type=JSON, content_length=1_000_000)
    await x.chunk(b'data: {"') if x.streamed else await x.send(b'{"')
    while True:
        await asyncio.sleep(DRIP)
        await (x.chunk(b"x") if x.streamed else x.send(b"x"))


@behaviour
async def stale(x: Exchange) -> None:
    """Answers, keeps the connection, and closes it when the next request arrives on it."""
    if x.earlier:
        x.close()
    else:
        await right_answer(x)


@behaviour
async def paced(x: Exchange) -> None:
    """Sixty tokens, one every so many milliseconds, or a whole answer after as long."""
    pause = int(x.argument or 20) / 1000
    if not x.streamed:
        await x.until_left_or(pause * 60)
        await x.answer(answers.whole(x.kind, 60))
        return
    await x.open_stream()
    for event in answers.stream(x.kind, 60):
        await x.event(event)
        x.trace.tokens += 1
        await asyncio.sleep(pause)
    await x.event(b"[DONE]")
    await x.close_stream()


@behaviour
async def echo(x: Exchange) -> None:
    """So many times the last word of the prompt, of four letters, one every few milliseconds."""
    tokens, word = int(x.argument), x.trace.request["messages"][-1]["content"][-len(PIECE) :]
    if not x.streamed:
        await asyncio.sleep(0.02)
        x.trace.tokens = tokens
        await x.answer(answers.whole(x.kind, tokens, word * tokens))
        return
    await x.open_stream()
    for event in answers.opening(x.kind):
        await x.event(event)
    for _ in range(tokens):
        await x.event(answers.chunk(x.kind, word))
        x.trace.tokens += 1
        await asyncio.sleep(0.003)
    for event in answers.closing(x.kind, tokens):
        await x.event(event)
    await x.event(b"[DONE]")
    await x.close_stream()


@behaviour
async def never_stops(x: Exchange) -> None:
    """A stream without end that heeds nobody: it notices only that writing fails."""
    await x.open_stream()
    while True:
        await x.event(answers.chunk(x.kind, PIECE))
        x.trace.tokens += 1
        await asyncio.sleep(0.005)


@behaviour
async def flood(x: Exchange) -> None:
    """So many MiB of stream, as fast as they are taken."""
    await x.open_stream()
    event = answers.chunk(x.kind, BIG_PIECE)
    for _ in range(int(x.argument) * 16):
        await x.event(event)
        x.trace.tokens += len(BIG_PIECE) // len(PIECE)
    for event in answers.closing(x.kind, x.trace.tokens):
        await x.event(event)
    await x.event(b"[DONE]")
    await x.close_stream()


@behaviour
async def endless_line(x: Exchange) -> None:
    """One line of so many MiB, without end where there is no argument."""
    await x.head(content_type=EVENTS)
    await x.send(b'data: {"choices":[{"index":0,"delta":{"content":"')
    block = b"x" * 65536
    for _ in range(int(x.argument or 10**9) * 16):
        await x.send(block)
    x.close()


class Fading:
    """Twice as slow with every request until it is dead; ``heal`` makes it new."""

    def __init__(self) -> None:
        self.heal()

    def heal(self) -> None:
        self.delay = 0.01

    async def __call__(self, x: Exchange) -> None:
        self.delay *= 2
        await x.until_left_or(self.delay)
        await right_answer(x)


fading = Fading()


@behaviour
async def brown_out(x: Exchange) -> None:
    await fading(x)
