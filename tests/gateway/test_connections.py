"""A connection serves one caller at a time, and the next only after a clean end."""

import asyncio
import random
from contextlib import suppress

import pytest
import uvloop

from gateway import connections
from gateway.upstream import Upstream, UpstreamBroken
from tests.gateway.provider_socket import Peer, Provider, echo, play, post, providing, route, until

TOP = b"HTTP/1.1 200 OK\r\n"


def test_a_request_is_what_providers_expect() -> None:
    async def story(upstream: Upstream, provider: Provider) -> None:
        assert await post(upstream, provider.route(), b'{"a":1}') == b'{"a":1}'
        [peer] = provider.peers
        assert peer.heads == [
            b"POST /v1/chat/completions HTTP/1.1\r\n"
            b"host: 127.0.0.1:%d\r\n"
            b"authorization: Bearer sk-test\r\n"
            b"content-type: application/json\r\n"
            b"accept: */*\r\n"
            b"accept-encoding: identity\r\n"
            b"user-agent: Keyplex\r\n"
            b"content-length: 7\r\n\r\n" % provider.port
        ]

    play(echo, story)


def test_a_connection_is_used_again_after_a_clean_end() -> None:
    async def story(upstream: Upstream, provider: Provider) -> None:
        for _ in range(5):
            await post(upstream, provider.route())
        assert len(provider.peers) == 1

    play(echo, story)


def test_callers_at_the_same_time_have_a_connection_each() -> None:
    async def story(upstream: Upstream, provider: Provider) -> None:
        for _ in range(3):
            bodies = [b"%d" % number for number in range(20)]
            answers = [post(upstream, provider.route(), body) for body in bodies]
            assert await asyncio.gather(*answers) == bodies
        assert len(provider.peers) == 20

    play(echo, story)


@pytest.mark.parametrize(
    "answer",
    [
        TOP + b"connection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        TOP + b"content-length: 2\r\n\r\n{}" + TOP + b"content-length: 4\r\n\r\nmore",
        TOP + b"content-length: 2\r\n\r\n{}{}",
    ],
    ids=["close", "1.0", "another answer", "more bytes"],
)
def test_a_connection_is_not_used_again_after_an_unclean_end(answer: bytes) -> None:
    async def behaviour(peer: Peer) -> None:
        while await peer.question():
            peer.say(answer)

    async def story(upstream: Upstream, provider: Provider) -> None:
        for _ in range(3):
            assert await post(upstream, provider.route()) == b"{}"
        assert len(provider.peers) == 3

    play(behaviour, story)


def test_an_answer_that_nobody_asked_for_reaches_nobody() -> None:
    async def behaviour(peer: Peer) -> None:
        peer.answer(await peer.question())
        await asyncio.sleep(0.05)
        peer.answer(b"a secret")
        await echo(peer)

    async def story(upstream: Upstream, provider: Provider) -> None:
        assert await post(upstream, provider.route(), b"mine") == b"mine"
        await until(lambda: provider.open == 0)
        assert await post(upstream, provider.route(), b"mine") == b"mine"
        assert len(provider.peers) == 2

    play(behaviour, story)


def test_an_answer_before_the_whole_request_was_sent_spoils_the_connection() -> None:
    async def behaviour(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.answer(b"{}")
        await peer.reader.read(100)
        await asyncio.sleep(9)

    async def story(upstream: Upstream, provider: Provider) -> None:
        for _ in range(2):
            assert await post(upstream, provider.route(), bytes(8_000_000)) == b"{}"
        assert len(provider.peers) == 2
        for peer in provider.peers:
            peer.writer.transport.abort()

    async def run() -> None:
        upstream = Upstream()
        async with providing(behaviour) as provider:
            await story(upstream, provider)

    uvloop.run(run())


@pytest.mark.parametrize(
    "said",
    [b"", TOP, TOP + b"content-length: 9\r\n\r\n", TOP + b"content-length: 9\r\n\r\nhello"],
    ids=["silent", "in the headers", "after the headers", "in the body"],
)
def test_whoever_is_cancelled_lets_the_provider_go(said: bytes) -> None:
    gone = asyncio.Event()

    async def behaviour(peer: Peer) -> None:
        await peer.question()
        peer.say(said)
        with suppress(OSError):
            assert await peer.reader.read() == b""
        gone.set()

    async def story(upstream: Upstream, provider: Provider) -> None:
        task = asyncio.create_task(post(upstream, provider.route()))
        await until(lambda: bool(provider.peers and provider.peers[0].heads))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 5)
        assert not any(upstream.connections._idle.values())

    play(behaviour, story)


def test_whoever_leaves_in_the_middle_of_an_answer_lets_the_provider_go() -> None:
    async def behaviour(peer: Peer) -> None:
        await peer.question()
        peer.say(TOP + b"content-length: 9\r\n\r\nhello")
        await peer.reader.read()

    async def story(upstream: Upstream, provider: Provider) -> None:
        async with upstream.post(provider.route(), "x", b"{}") as answer:
            async for chunk in answer.chunks():
                assert chunk == b"hello"
                break
        await until(lambda: provider.open == 0)

    play(behaviour, story)


def test_a_stream_whose_end_comes_after_its_last_word_keeps_its_connection() -> None:
    async def behaviour(peer: Peer) -> None:
        while await peer.question():
            peer.say(TOP + b"transfer-encoding: chunked\r\n\r\n6\r\n[DONE]\r\n")
            await asyncio.sleep(0.01)
            peer.say(b"0\r\n\r\n")

    async def story(upstream: Upstream, provider: Provider) -> None:
        for _ in range(3):
            async with upstream.post(provider.route(), "x", b"{}") as answer:
                async for chunk in answer.chunks():
                    assert chunk == b"[DONE]"
                    break
            await until(lambda: any(upstream.connections._idle.values()))
        assert len(provider.peers) == 1

    play(behaviour, story)


def test_whoever_is_cancelled_while_it_connects_leaves_nothing_behind() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        with suppress(OSError):
            await reader.read()
        ended.set()
        writer.close()

    heard: list[bytes] = []
    ended = asyncio.Event()

    async def run() -> None:
        upstream, server = Upstream(), await asyncio.start_server(never, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(post(upstream, route(f"https://127.0.0.1:{port}/v1")))
        await until(lambda: bool(heard))  # it greets, and never gets an answer
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(ended.wait(), 5)
        server.close()

    uvloop.run(run())


def test_a_storm_of_cancelled_requests_mixes_up_nothing() -> None:
    async def behaviour(peer: Peer) -> None:
        while word := await peer.question():
            await asyncio.sleep(random.random() / 100)
            peer.say(TOP + b"transfer-encoding: chunked\r\n\r\n")
            for _ in range(3):
                peer.say(b"8\r\n%b\r\n" % word)
                await asyncio.sleep(random.random() / 200)
            peer.say(b"0\r\n\r\n")

    async def story(upstream: Upstream, provider: Provider) -> None:
        heard = 0
        places = asyncio.Semaphore(50)

        async def one(number: int) -> None:
            nonlocal heard
            word = b"%08d" % number
            async with places:
                task = asyncio.create_task(post(upstream, provider.route(), word))
                if number % 2:
                    await asyncio.sleep(random.random() / 30)
                    task.cancel()
                with suppress(asyncio.CancelledError):
                    assert await task == word * 3
                    heard += 1

        await asyncio.gather(*(one(number) for number in range(2000)))

        assert heard >= 1000
        await until(lambda: provider.open <= 50)

    play(behaviour, story)


def test_a_connection_that_is_idle_for_long_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEPT_IDLE", 0.1)

    async def story(upstream: Upstream, provider: Provider) -> None:
        for _ in range(2):
            await asyncio.gather(*(post(upstream, provider.route()) for _ in range(5)))
            await until(lambda: provider.open == 0)
        assert len(provider.peers) == 10

    play(echo, story)


def test_a_connection_that_the_provider_closed_is_not_tried_again() -> None:
    async def behaviour(peer: Peer) -> None:
        peer.answer(await peer.question())

    async def story(upstream: Upstream, provider: Provider) -> None:
        for number in range(1, 4):
            assert await post(upstream, provider.route()) == b"{}"
            await until(lambda: provider.open == 0)
            await asyncio.sleep(0.1)  # until we have heard of it
            assert len(provider.peers) == number

    play(behaviour, story)


def test_a_stale_connection_is_told_from_a_broken_one() -> None:
    async def behaviour(peer: Peer) -> None:
        peer.answer(await peer.question())
        await peer.question()

    async def story(upstream: Upstream, provider: Provider) -> None:
        await asyncio.gather(*(post(upstream, provider.route()) for _ in range(3)))
        with pytest.raises(UpstreamBroken) as trouble:
            await post(upstream, provider.route())
        assert trouble.value.stale
        assert await post(upstream, provider.route()) == b"{}"
        assert len(provider.peers) == 4, "the other idle ones were believed"

    async def broken(peer: Peer) -> None:
        await peer.question()
        peer.say(b"HTTP/1.1")

    async def other_story(upstream: Upstream, provider: Provider) -> None:
        with pytest.raises(UpstreamBroken) as trouble:
            await post(upstream, provider.route())
        assert not trouble.value.stale

    play(behaviour, story)
    play(broken, other_story)
