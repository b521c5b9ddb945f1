"""Whenever a client hangs up, its provider is let go at once, and the books say so."""

import asyncio
import time

import pytest

from tests.upstream.conversation import Conversation
from tests.upstream.rig import LONG, PATHS, Dish, Rig, until
from usage.models import RequestLog

STREAM = Dish("paced:20")
COMPLETION = Dish("paced:20", "completions")
WHOLE = Dish("paced:100")
SILENT = Dish("hang-headers", deadlines=LONG)
SILENT_EMBEDDINGS = Dish("hang-headers", "embeddings", deadlines=LONG)
SILENT_STREAM = Dish("hang-after-headers", deadlines=LONG)
STUBBORN = Dish("never-stops")
AT_ONCE = 1.0  # seconds
CHUNKS = range(51)  # 0 is as soon as the headers are there


@pytest.fixture(scope="module")
def stage(rig: Rig) -> Rig:
    rig.serve([STREAM, COMPLETION, WHOLE, SILENT, SILENT_EMBEDDINGS, SILENT_STREAM, STUBBORN])
    return rig


def talk(rig: Rig, dish: Dish, who: str, *, streamed: bool) -> Conversation:
    body = rig.body(dish, streamed=streamed, user=who)
    return Conversation(rig.site.port, rig.key.plaintext, PATHS[dish.kind], body)


def row_of(rig: Rig, who: str) -> RequestLog:
    """The only row of an end user; it must come within 5 seconds."""

    def look() -> list[RequestLog]:
        rig.record()
        return list(RequestLog.objects.filter(end_user=who))

    rows = until(look, bool, seconds=5)
    assert len(rows) == 1, rows
    return rows[0]


def check_let_go(rig: Rig, who: str, left_at: float) -> None:
    """The provider has lost the connection within a second of the client's leaving."""
    mine = [trace for trace in list(rig.zoo.log) if trace.request.get("user") == who]
    assert len(mine) == 1
    until(lambda: mine[0].over, bool)
    assert mine[0].left_at is not None, "the provider was heard to the end"
    assert mine[0].left_at - left_at <= AT_ONCE


async def hang_up(conversation: Conversation, *, after: float = 0, rudely: bool = False) -> float:
    await asyncio.sleep(after)
    left_at = time.monotonic()
    await conversation.leave(rudely=rudely)
    return left_at


@pytest.mark.parametrize("rudely", [False, True], ids=["close", "reset"])
@pytest.mark.parametrize(
    ("dish", "streamed"),
    [
        (SILENT, False),
        (SILENT, True),
        (SILENT_EMBEDDINGS, False),
        (SILENT_STREAM, True),
        (SILENT_STREAM, False),
        (WHOLE, False),
    ],
    ids=lambda value: getattr(value, "model", value),
)
def test_a_client_that_leaves_before_the_answer_pays_nothing(
    stage: Rig, dish: Dish, streamed: bool, rudely: bool
) -> None:
    who = f"early-{dish.case}-{streamed}-{rudely}"

    async def run() -> float:
        conversation = talk(stage, dish, who, streamed=streamed)
        await conversation.connect()
        await conversation.ask()
        return await hang_up(conversation, after=0.3, rudely=rudely)

    left_at = asyncio.run(run())

    row = row_of(stage, who)
    assert (row.outcome, row.status_code) == ("client_disconnect", 499)
    assert row.total_tokens == 0
    check_let_go(stage, who, left_at)
    stage.check_quiet(dish.case)


@pytest.mark.parametrize("tokens", CHUNKS)
def test_a_client_that_leaves_a_stream_pays_for_what_was_sent_to_it(
    stage: Rig, tokens: int
) -> None:
    dish, who = (STREAM, COMPLETION)[tokens % 2], f"leaves-{tokens}"

    async def run() -> tuple[Conversation, float]:
        conversation = talk(stage, dish, who, streamed=True)
        await conversation.connect()
        await conversation.ask()
        await conversation.hear(tokens)
        return conversation, await hang_up(conversation, rudely=tokens % 3 == 0)

    conversation, left_at = asyncio.run(run())

    assert conversation.status == 200
    row = row_of(stage, who)
    assert (row.outcome, row.status_code) == ("client_disconnect", 499)
    [trace] = [trace for trace in list(stage.zoo.log) if trace.request.get("user") == who]
    assert conversation.tokens <= row.completion_tokens <= trace.tokens
    assert row.usage_source == "estimated" if row.completion_tokens else row.total_tokens == 0
    check_let_go(stage, who, left_at)
    stage.check_quiet(dish.case)


def test_a_provider_that_never_stops_is_cut_off_with_its_client(stage: Rig) -> None:
    async def run() -> float:
        conversation = talk(stage, STUBBORN, "stubborn", streamed=True)
        await conversation.connect()
        await conversation.ask()
        await conversation.hear(tokens=20)
        return await hang_up(conversation)

    left_at = asyncio.run(run())

    row = row_of(stage, "stubborn")
    assert row.outcome == "client_disconnect"
    assert row.completion_tokens >= 20
    check_let_go(stage, "stubborn", left_at)
    stage.check_quiet(STUBBORN.case)


@pytest.mark.parametrize("part", [0, 0.3, 0.9], ids=["silent", "in-the-headers", "in-the-body"])
def test_a_client_that_leaves_while_it_asks_leaves_nothing_behind(stage: Rig, part: float) -> None:
    who = f"never-asked-{part}"

    async def run() -> None:
        conversation = talk(stage, STREAM, who, streamed=True)
        await conversation.connect()
        await conversation.ask(part)
        await hang_up(conversation, after=0.05)

    asyncio.run(run())

    stage.record()
    assert not RequestLog.objects.filter(end_user=who).exists()
    assert not [trace for trace in stage.zoo.log if trace.request.get("user") == who]
    stage.check_quiet(STREAM.case)
