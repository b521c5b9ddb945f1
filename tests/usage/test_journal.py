"""What a process writes is there for the recorder, and what it cannot write it does not sell."""

import asyncio
import contextlib
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.usage.calls import make_final, make_intent
from usage.journal import Journal, JournalUnavailable, check_writable
from usage.live import SLOTS
from usage.records import Record
from usage.segments import Segments


def written(directory: Path) -> list[Record]:
    return [record for segment in Segments(directory).current() for record in segment.read()]


@contextlib.contextmanager
def files_no_longer_than(length: int) -> Iterator[None]:
    """Writes beyond ``length`` are cut short, as on a disk that runs full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "journal", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_intent_and_final_are_written_in_their_order(journal: Journal, tmp_path: Path) -> None:
    intent, refusal = make_intent(), make_final(outcome="refused", status_code=429)
    final = make_final(intent.request_id)

    slot = journal.intend(intent)
    journal.finish(refusal)
    journal.finish(final, slot)

    assert written(tmp_path) == [intent, refusal, final]


def test_what_a_call_has_delivered_can_be_seen_from_outside(
    journal: Journal, tmp_path: Path
) -> None:
    intents = [make_intent() for _ in range(3)]
    slots = [journal.intend(intent) for intent in intents]

    for tokens, slot in enumerate(slots, start=40):
        journal.progress(slot, tokens)

    segments = Segments(tmp_path)
    [segment] = segments.current()
    assert segments.delivered(segment.process) == {
        intent.request_id: tokens for tokens, intent in enumerate(intents, start=40)
    }


def test_slots_are_used_again_and_begin_at_nothing(journal: Journal, tmp_path: Path) -> None:
    for _ in range(SLOTS + 1):
        intent = make_intent()
        slot = journal.intend(intent)
        journal.progress(slot, 7)
        journal.finish(make_final(intent.request_id), slot)
    last = make_intent()
    journal.intend(last)

    segments = Segments(tmp_path)
    [segment] = segments.current()
    assert segments.delivered(segment.process) == {last.request_id: 0}


def test_more_calls_at_a_time_than_slots_are_not_served(journal: Journal) -> None:
    for _ in range(SLOTS):
        journal.intend(make_intent())

    with pytest.raises(JournalUnavailable):
        journal.intend(make_intent())


def test_a_record_that_does_not_fit_leaves_no_trace(journal: Journal, tmp_path: Path) -> None:
    first, last = make_intent(), make_intent()
    journal.intend(first)
    [segment] = Segments(tmp_path).current()

    with files_no_longer_than(segment.path.stat().st_size + 20):
        for _ in range(3):
            with pytest.raises(JournalUnavailable):
                journal.intend(make_intent())
    journal.intend(last)

    assert written(tmp_path) == [first, last]


async def settle_down(journal: Journal) -> None:
    """Let the journal do what it does beside its calls."""
    task = asyncio.create_task(journal.flush_loop())
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_the_end_of_a_call_is_written_as_soon_as_there_is_room(
    journal: Journal, tmp_path: Path
) -> None:
    intent = make_intent()
    final = make_final(intent.request_id, completion_tokens=12)
    slot = journal.intend(intent)
    segments = Segments(tmp_path)
    [segment] = segments.current()

    with (
        files_no_longer_than(segment.path.stat().st_size + 20),
        pytest.raises(JournalUnavailable),
    ):
        journal.finish(final, slot)

    assert written(tmp_path) == [intent]
    assert segments.delivered(segment.process) == {intent.request_id: 12}
    asyncio.run(settle_down(journal))
    assert written(tmp_path) == [intent, final]


def test_a_full_disk_refuses_calls_and_one_with_room_takes_them_again(small_disk: Path) -> None:
    journal = Journal(small_disk)
    served: list[Record] = []
    with contextlib.suppress(JournalUnavailable):
        while True:
            journal.finish(final := make_final(user_agent="long" * 100))
            served.append(final)
    with contextlib.suppress(JournalUnavailable):
        while True:
            journal.intend(intent := make_intent())
            served.append(intent)
    with pytest.raises(JournalUnavailable):
        check_writable(small_disk)
    kept = written(small_disk)

    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    check_writable(small_disk)
    late = make_final()
    journal.finish(late)

    assert kept == served
    assert written(small_disk) == [*served, late]
    journal.close()


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.touch()
    journal = Journal(folder)

    with pytest.raises(JournalUnavailable):
        journal.intend(make_intent())
    with pytest.raises(JournalUnavailable):
        check_writable(folder)
    folder.unlink()
    intent = make_intent()
    journal.intend(intent)

    assert written(folder) == [intent]
    journal.close()


def test_segments_are_finished_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.journal.SEGMENT_BYTES", 1000)
    journal = Journal(tmp_path)
    intents = [make_intent() for _ in range(40)]

    async def write() -> None:
        flushing = asyncio.create_task(journal.flush_loop())
        for intent in intents:
            journal.intend(intent)
            await asyncio.sleep(0.005)
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)

    asyncio.run(write())

    assert written(tmp_path) == intents
    segments = Segments(tmp_path)
    assert len(segments.current()) > 2
    assert segments.dead() == set()
    for segment in segments.current():
        list(segment.read())
        segments.forget(segment)
    assert len(segments.current()) <= 1
    journal.close()
    assert segments.dead() == {segment.process for segment in segments.current()}
