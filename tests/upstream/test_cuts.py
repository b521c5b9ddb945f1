"""Wherever a provider's connection ends, a client gets whole events and the truth."""

import asyncio
import json

import httpx
import pytest

from tests.upstream.answers import closing, pieces
from tests.upstream.behaviours_content import wire
from tests.upstream.reading import check_envelope, read_stream
from tests.upstream.rig import PATHS, Dish, Rig

GOLDEN = wire([*pieces("chat", 2), closing("chat")[0]])
FINISHED = GOLDEN.index(b"\n\ndata: [DONE]")  # from here on nothing is missing but politeness
AT_ONCE = 8
CUTS = [Dish("golden") for _ in range(len(GOLDEN) + 1)]


@pytest.fixture(scope="module")
def stage(rig: Rig) -> Rig:
    """A provider for every offset: none has so many failures that it is not asked any more."""
    rig.serve(CUTS)
    return rig


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_connection_that_ends_at_any_byte_never_passes_for_a_whole_answer(
    stage: Rig, how: str
) -> None:
    answers = asyncio.run(ask_all(stage, how))

    ids = [answer.headers["x-request-id"] for answer in answers]
    rows = {row.request_id: row for row in stage.rows(*ids)}
    assert len(rows) == len(answers) == len(GOLDEN) + 1
    for at, answer in enumerate(answers):
        told = f"at {at} {answer.status_code} {answer.text}"
        row = rows[answer.headers["x-request-id"]]
        if answer.status_code != 200:
            check_envelope(answer.json())
            assert answer.status_code in (500, 503), told
            assert (row.outcome, row.total_tokens) == ("upstream_error", 0), told
            continue
        reading = read_stream(answer.content, CUTS[at].model)
        assert "fourfour".startswith(reading.text().get(0, "")), told
        assert reading.done != bool(reading.error), told
        assert reading.done <= (at >= FINISHED), told
        assert row.outcome == ("ok" if reading.done else "upstream_error"), told
        assert row.completion_tokens == len(reading.text().get(0, "")) // 4, told
        assert how == "reset" or reading.done or at not in (FINISHED, len(GOLDEN)), told
    stage.check_quiet(CUTS[0].case)
    assert not sum(stage.zoo.busy(dish.case) for dish in CUTS)


async def ask_all(rig: Rig, how: str) -> list[httpx.Response]:
    gate = asyncio.Semaphore(AT_ONCE)
    golden = GOLDEN.decode("latin-1")
    async with httpx.AsyncClient(
        base_url=rig.site.url, headers=rig.key.headers, timeout=40
    ) as client:

        async def ask(at: int) -> httpx.Response:
            body = rig.body(CUTS[at], streamed=True, x_wire=golden, x_cut=[how, at])
            async with gate:
                return await client.post(PATHS["chat"], content=json.dumps(body))

        return await asyncio.gather(*[ask(at) for at in range(len(GOLDEN) + 1)])
