"""A stream means the same however its bytes arrive, and whichever dialect it speaks."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.call import Call
from gateway.meter import Meter
from gateway.relay import Stream
from gateway.shapes import Chat
from tests.upstream.golden import CRLF, GOLDEN, UTF8, Golden
from tests.upstream.reading import Reading, read_stream
from tests.upstream.rig import Dish, Rig

DISH = Dish("golden")
SCOPE = {"method": "POST", "path": "", "root_path": "", "query_string": b"", "headers": []}
CALL = Call(SCOPE, Any, Any)


def through(chunks: Iterable[bytes], *, to_the_end: bool = True) -> tuple[bytes, Stream]:
    """What the gateway would send for these bytes; always the same call, so the same ids."""
    meter = Meter(CALL, cast(Any, None), cast(Any, None), cast(Any, None), "chat/completions")
    meter.requested_model = DISH.model
    stream = Stream(CALL, meter, Chat(), wants_usage=True)
    out = b"".join([stream.feed(chunk) for chunk in chunks])
    return out + (stream.close() if to_the_end else b""), stream


def pieces(wire: bytes, cuts: Iterable[int]) -> list[bytes]:
    return [wire[a:b] for a, b in pairwise([0, *sorted(cuts), len(wire)])]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_a_split_at_any_byte_changes_no_byte(golden: Golden) -> None:
    expected, stream = through([golden.wire])

    assert expected
    assert stream.trouble is None
    for at in range(len(golden.wire) + 1):
        assert through([golden.wire[:at], golden.wire[at:]])[0] == expected, at


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_byte_by_byte_it_is_the_same_stream(golden: Golden) -> None:
    out, stream = through(golden.wire[at : at + 1] for at in range(len(golden.wire)))

    assert out == through([golden.wire])[0]
    assert stream.trouble is None


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_number_of_splits_changes_no_byte(data: st.DataObject) -> None:
    golden = data.draw(st.sampled_from(GOLDEN))
    cuts = data.draw(st.lists(st.integers(0, len(golden.wire)), max_size=30))

    out, _ = through(pieces(golden.wire, cuts))

    assert out == through([golden.wire])[0]


@pytest.mark.parametrize("golden", [CRLF, UTF8], ids=lambda golden: golden.name)
def test_whatever_is_cut_off_only_whole_events_come_out(golden: Golden) -> None:
    whole, _ = through([golden.wire])

    for at in range(len(golden.wire)):
        out, _ = through([golden.wire[:at]], to_the_end=False)
        assert whole.startswith(out)
        assert not out or out.endswith(b"\n\n")
        for event in out.split(b"\n\n")[:-1]:
            json.loads(event.removeprefix(b"data: "))


@pytest.fixture(scope="module")
def stage(rig: Rig) -> Rig:
    rig.serve([DISH])
    return rig


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_a_client_understands_every_dialect(stage: Rig, golden: Golden) -> None:
    seen = stage.ask(DISH, streamed=True, x_wire=golden.wire.decode("latin-1"))

    assert seen.status == 200, seen.body
    reading = read_stream(seen.body, DISH.model)
    assert reading.done
    assert reading.error is None
    assert (reading.text(), reading.finishes()) == (golden.said, golden.finishes)
    assert reading.tools() == golden.tools
    assert thoughts(reading) == golden.reasoning
    row = stage.row(seen.request_id)
    counts = (row.prompt_tokens, row.completion_tokens)
    [usage] = reading.usages()
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == counts
    assert row.outcome == "ok"
    assert row.usage_source == ("provider" if golden.counts else "estimated")
    assert golden.counts in (None, counts)
    assert row.completion_tokens > 0


def test_who_asks_for_no_usage_gets_none(stage: Rig) -> None:
    for golden in GOLDEN:
        seen = stage.ask(
            DISH, streamed=True, stream_options=None, x_wire=golden.wire.decode("latin-1")
        )

        reading = read_stream(seen.body, DISH.model)
        assert reading.usages() == [], golden.name
        assert all(event["choices"] for event in reading.events), golden.name
        assert reading.done, golden.name


def thoughts(reading: Reading) -> dict[int, str]:
    said = reading.text("reasoning_content")
    return {index: text for index, text in said.items() if text}
