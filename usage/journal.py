"""The write-ahead record of what was used. It needs neither PostgreSQL nor Redis.

Every process appends to segments of its own, ``<process>.<n>``; what one ``write`` took survives
``kill -9``, and what is older than some 20 ms survives a power cut. The recorder ships and
deletes the segments; a lock on each tells it which ones still have a writer.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import tempfile
import time
from pathlib import Path

from usage.live import LiveCalls, lock_new
from usage.records import Final, Intent, Payload, frame

__all__ = ["Final", "Intent", "Journal", "JournalUnavailable", "Payload", "check_writable"]

log = logging.getLogger(__name__)
SEGMENT_BYTES = 8 << 20
SEGMENT_SECONDS = 5.0
GROUP_SECONDS = 0.02  # how long a record may wait for its fdatasync
_sync = getattr(os, "fdatasync", os.fsync)


class JournalUnavailable(Exception):
    """Nothing can be recorded, so nothing may be sold: the disk is full, or cannot be written."""


class Journal:
    """The journal of this process. It opens its files when there is something to write."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process = f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(4)}"
        self._live: LiveCalls | None = None
        self._segment: int | None = None  # descriptor
        self._number = self._size = 0
        self._opened_at = 0.0
        self._retired: list[int] = []  # descriptors of finished segments, to be synced and closed
        self._owed: list[tuple[bytes, int]] = []  # final records there was no room for
        self._wake = asyncio.Event()

    def intend(self, intent: Intent) -> int:
        """Record that a call is about to be served; its slot. Raises JournalUnavailable."""
        slot = self._take_slot(intent.request_id)
        try:
            self._append(frame(intent))
        except JournalUnavailable:
            self._calls.give_back(slot)
            raise
        return slot

    def progress(self, slot: int, completion_tokens: int) -> None:
        """Note how much was delivered, so that a sudden death charges just that."""
        self._calls.deliver(slot, completion_tokens)

    def finish(self, final: Final, slot: int | None = None) -> None:
        """Record how a call ended; ``slot`` if it was intended. Raises JournalUnavailable.

        Even then the record of an intended call is kept, and written once there is room.
        """
        framed = frame(final)
        try:
            self._append(framed)
        except JournalUnavailable:
            if slot is not None:
                self._calls.deliver(slot, final.completion_tokens)
                self._owed.append((framed, slot))
            raise
        if slot is not None:
            self._calls.give_back(slot)

    def note(self, payload: Payload) -> None:
        """Record what was captured of a call. Raises JournalUnavailable; then it is lost."""
        self._append(frame(payload))

    async def flush_loop(self) -> None:
        """For ever: bring records to the disk in groups, begin a new segment now and then."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience()):
                    await self._wake.wait()
            self._wake.clear()
            self._pay_debts()
            self._rotate()
            await asyncio.to_thread(self._bring_to_disk)
            await asyncio.sleep(GROUP_SECONDS)

    def close(self) -> None:
        """Leave everything on the disk and to the recorder."""
        self._pay_debts()
        self._retire()
        self._bring_to_disk()
        if self._live:
            self._live.close()
            self._live = None

    @property
    def _calls(self) -> LiveCalls:
        assert self._live is not None, "there are no slots before the first intent"
        return self._live

    def _take_slot(self, request_id: str) -> int:
        try:
            return self._opened_live().take(request_id)
        except IndexError:
            raise JournalUnavailable("too many calls at a time") from None
        except OSError as error:
            raise JournalUnavailable(str(error)) from error

    def _opened_live(self) -> LiveCalls:
        """The slots; they exist before the first segment, whose writer they prove alive."""
        if self._live is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._live = LiveCalls(self._directory / f"{self._process}.live")
        return self._live

    def _append(self, framed: bytes) -> None:
        """All of it or nothing, in one ``write``. Raises JournalUnavailable."""
        try:
            if self._segment is None:
                self._segment = self._opened_segment()
            written = os.write(self._segment, framed)
            if written != len(framed):
                raise OSError("only a part of the record was written")
        except OSError as error:
            self._take_back()
            raise JournalUnavailable(str(error)) from error
        self._size += written
        self._wake.set()

    def _opened_segment(self) -> int:
        self._opened_live()
        self._number += 1
        path = self._directory / f"{self._process}.{self._number}"
        segment = lock_new(path, os.O_WRONLY | os.O_APPEND)
        self._size, self._opened_at = 0, time.monotonic()
        return segment

    def _take_back(self) -> None:
        """Cut off what was written of a record; if even that fails, let it end its segment."""
        if self._segment is not None:
            try:
                os.ftruncate(self._segment, self._size)
            except OSError:
                self._retire()

    def _pay_debts(self) -> None:
        while self._owed:
            framed, slot = self._owed[0]
            try:
                self._append(framed)
            except JournalUnavailable:
                return
            self._calls.give_back(slot)
            self._owed.pop(0)

    def _patience(self) -> float | None:
        """How long to sleep when nothing is written: until the segment is old, if there is one."""
        if self._owed:
            return 1.0
        if self._segment is None:
            return None
        return max(0.0, self._opened_at + SEGMENT_SECONDS - time.monotonic())

    def _rotate(self) -> None:
        if self._segment is not None and self._size:
            age = time.monotonic() - self._opened_at
            if self._size >= SEGMENT_BYTES or age >= SEGMENT_SECONDS:
                self._retire()

    def _retire(self) -> None:
        """Write no more to this segment; the next record opens another one."""
        if self._segment is not None:
            self._retired.append(self._segment)
            self._segment = None

    def _bring_to_disk(self) -> None:
        """Sync what is open, close what is finished. Closing lets go of the lock."""
        finished, self._retired = self._retired, []
        for segment in [*finished, *([] if self._segment is None else [self._segment])]:
            try:
                _sync(segment)
            except OSError as error:
                log.error("the journal may not survive a power cut: %s", error)
        for segment in finished:
            os.close(segment)


def check_writable(directory: Path) -> None:
    """Whether a record could be written just now, for readiness. Raises JournalUnavailable."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
            if file.write(bytes(4096)) != 4096:
                raise OSError("the disk is full")
    except OSError as error:
        raise JournalUnavailable(str(error)) from error
