"""A journal never tells anything that was not written, whatever happened to its bytes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.calls import make_final, make_intent
from usage.records import Final, Intent, Record, frame, is_cut_off, records

texts = st.text(max_size=20)
calls = st.one_of(
    st.builds(make_intent, texts, prompt_tokens=st.integers(0, 10**9), ip=texts),
    st.builds(make_final, texts, user_agent=texts, ttft_ms=st.none() | st.integers(0, 10**6)),
)
journals = st.lists(calls, min_size=1, max_size=8)


def read(data: bytes) -> list[Record]:
    return [record for record, _ in records(data)]


def ends(written: list[Record]) -> list[int]:
    """Where each record ends in the file."""
    lengths = [len(frame(record)) for record in written]
    return [sum(lengths[: number + 1]) for number in range(len(lengths))]


@given(journals)
def test_what_was_written_is_read(written: list[Record]) -> None:
    data = b"".join(map(frame, written))

    assert list(records(data)) == list(zip(written, ends(written), strict=True))


@settings(max_examples=1000)
@given(journals, st.data())
def test_a_journal_cut_off_anywhere_tells_all_that_was_whole(
    written: list[Record], data: st.DataObject
) -> None:
    whole = b"".join(map(frame, written))
    cut = data.draw(st.integers(0, len(whole)))

    found = read(whole[:cut])

    complete = [end for end in ends(written) if end <= cut]
    assert found == written[: len(complete)]
    assert is_cut_off(whole[max(complete, default=0) : cut])


@settings(max_examples=1000)
@given(journals, st.data())
def test_a_flipped_bit_spoils_its_record_and_none_before_it(
    written: list[Record], data: st.DataObject
) -> None:
    damaged = bytearray(b"".join(map(frame, written)))
    position = data.draw(st.integers(0, len(damaged) - 1))
    damaged[position] ^= 1 << data.draw(st.integers(0, 7))

    found = read(bytes(damaged))

    untouched = [end for end in ends(written) if end <= position]
    assert found == written[: len(untouched)]


@given(st.binary(max_size=200))
def test_noise_is_no_record(noise: bytes) -> None:
    assert read(noise) == []
    assert read(bytes(64)) == []  # what a power cut may leave


def test_a_lone_surrogate_does_not_keep_a_call_from_being_recorded() -> None:
    [intent, final] = read(
        frame(make_intent(ip="a\ud800b")) + frame(make_final(user_agent="\udfff"))
    )

    assert isinstance(intent, Intent)
    assert intent.ip == "a?b"
    assert isinstance(final, Final)
    assert final.user_agent == "?"
