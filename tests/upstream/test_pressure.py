"""A provider that sends more or faster than anybody can take does not fill our memory."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from tests.upstream.conversation import Conversation
from tests.upstream.rig import PATHS, Dish, Rig, until

log = logging.getLogger(__name__)
MIB = 1024 * 1024
FLOOD_MIB = 200
FLOOD = Dish(f"flood:{FLOOD_MIB}")
LINES = [Dish("endless-line:100"), Dish("endless-line")]
BODIES = [Dish("giant-body:40"), Dish("gzip-bomb")]
WARM = Dish("endless-line:2")
SOCKETS = 16 * MIB  # what the kernel may hold between provider, gateway and client


@pytest.fixture(scope="module")
def stage(rig: Rig) -> Rig:
    """Workers that have met a long line before, so that what they keep for good is no growth."""
    rig.serve([FLOOD, *LINES, *BODIES, WARM])
    for _ in range(20):
        rig.ask(WARM, streamed=True)
    rig.record()
    return rig


def memory(rig: Rig) -> dict[int, int]:
    """Bytes of memory that each worker holds."""
    fields = {pid: Path(f"/proc/{pid}/statm").read_text().split() for pid in rig.site.worker_pids()}
    return {pid: int(field[1]) * 4096 for pid, field in fields.items()}


class Watch:
    """``async with``: how much more memory a worker held at its worst."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._before = memory(rig)
        self._worst = 0

    async def __aenter__(self) -> "Watch":
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            self._worst = max(self._worst, self.more())
            await asyncio.sleep(0.01)

    def more(self) -> int:
        """Bytes that the worker which grew most holds now beyond what it held before."""
        return max(bytes_now - self._before[pid] for pid, bytes_now in memory(self._rig).items())

    @property
    def growth(self) -> float:
        """In MiB."""
        return self._worst / MIB


def talk(rig: Rig, dish: Dish, *, streamed: bool) -> Conversation:
    body = rig.body(dish, streamed=streamed, user=dish.case, max_tokens=100_000_000 // 4)
    return Conversation(rig.site.port, rig.key.plaintext, PATHS["chat"], body)


def test_a_client_that_reads_slowly_holds_up_the_provider(stage: Rig) -> None:
    sent: list[int] = []

    async def run() -> tuple[Conversation, Watch]:
        conversation = talk(stage, FLOOD, streamed=True)
        await conversation.connect()
        async with Watch(stage) as watch:
            await conversation.ask()
            await conversation.hear()
            [trace] = stage.traces(FLOOD)
            for _ in range(15):
                await asyncio.sleep(0.1)
                sent.append(trace.tokens * 4)
            await conversation.hear_all()
        return conversation, watch

    conversation, watch = asyncio.run(run())

    log.warning("held up at %d MiB, memory +%.1f MiB", sent[-1] // MIB, watch.growth)
    assert sent[-1] == sent[-5] < SOCKETS
    assert len(conversation.received) > FLOOD_MIB * MIB
    assert conversation.done
    assert watch.growth < 16
    row = stage.row(conversation.headers["x-request-id"])
    assert (row.outcome, row.completion_tokens) == ("ok", FLOOD_MIB * MIB // 4)
    stage.check_quiet(FLOOD.case)


@pytest.mark.parametrize("dish", LINES, ids=lambda dish: dish.behaviour)
def test_a_line_of_any_length_is_refused_at_once(stage: Rig, dish: Dish) -> None:
    async def run() -> tuple[Conversation, Watch, float]:
        conversation = talk(stage, dish, streamed=True)
        await conversation.connect()
        begun = time.monotonic()
        async with Watch(stage) as watch:
            await conversation.ask()
            await conversation.hear_all()
        return conversation, watch, time.monotonic() - begun

    conversation, watch, seconds = asyncio.run(run())

    log.warning("%s: %.2f s, memory +%.1f MiB", dish.behaviour, seconds, watch.growth)
    assert conversation.status in (500, 503)
    assert watch.growth <= 8
    stage.check_quiet(dish.case)


@pytest.mark.parametrize("dish", BODIES, ids=lambda dish: dish.behaviour)
def test_a_body_larger_than_32_mib_is_refused(stage: Rig, dish: Dish) -> None:
    async def run() -> tuple[Conversation, Watch]:
        conversation = talk(stage, dish, streamed=False)
        await conversation.connect()
        async with Watch(stage) as watch:
            await conversation.ask()
            await conversation.hear_all()
        return conversation, watch

    conversation, watch = asyncio.run(run())

    log.warning("%s: memory +%.1f MiB", dish.behaviour, watch.growth)
    assert conversation.status in (500, 503)
    assert watch.growth <= 80  # 32 MiB, and once more while they are joined
    assert until(watch.more, lambda more: more <= 40 * MIB) <= 40 * MIB, "it is kept"
    stage.check_quiet(dish.case)
