"""Server-sent events come out whole, however they were split and whatever ends their lines."""

from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import sse

GOLDEN = (
    b": keep-alive\n\n"
    b'data: {"content": "Gr\xc3\xbc\xc3\x9fe"}\n\n'
    b"event: ping\nid: 7\nretry: 3000\n\n"
    b"data:no space\n\n"
    b"data: two\ndata: lines\n\n"
    b"data: [DONE]\n\n"
)
EXPECTED = [b'{"content": "Gr\xc3\xbc\xc3\x9fe"}', b"no space", b"two\nlines", b"[DONE]"]


def read(*chunks: bytes) -> list[bytes]:
    events = sse.Events()
    return [event for chunk in chunks for event in events.feed(chunk)]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_a_split_at_any_byte_changes_nothing(ending: bytes) -> None:
    stream = GOLDEN.replace(b"\n", ending) + (b"\n" if ending == b"\r" else b"")

    for at in range(len(stream)):
        assert read(stream[:at], stream[at:]) == EXPECTED, at


@given(st.lists(st.integers(0, len(GOLDEN)), max_size=20), st.sampled_from([b"\n", b"\r\n"]))
def test_any_number_of_splits_changes_nothing(cuts: list[int], ending: bytes) -> None:
    stream = GOLDEN.replace(b"\n", ending)
    edges = [0, *sorted(cuts), len(stream)]

    chunks = [stream[a:b] for a, b in pairwise(edges)]

    assert read(*chunks) == EXPECTED


def test_an_event_that_was_cut_off_is_never_given_out() -> None:
    assert read(b'data: {"half": ') == []
    assert read(b"data: whole line, no blank line\n") == []


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    events = sse.Events()

    with pytest.raises(sse.TooLong):
        list(chain.from_iterable(events.feed(b"x" * 32 * 1024) for _ in range(64)))
