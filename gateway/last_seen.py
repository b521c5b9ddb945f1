"""What every gateway process of this host last saw of the counters, for when Redis is away.

Each process notes every answer of Redis in a file of its own, mapped into memory, that all the
others can read. Whoever made the newest note of an account has seen all of its use, so what was
left then may be handed out without Redis: under one lock, and noted beside it. A file outlives
its process, and the next process continues it.
"""

import contextlib
import fcntl
import logging
import mmap
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from usage.segments import abandoned

log = logging.getLogger(__name__)
SLOTS = 8192
SLOT = 128  # bytes: twelve words of a note, three of what was handed out, one to spare
NOTE = struct.Struct("=12q")  # name, Redis's seconds, our nanoseconds, last, eight counters
HANDED = struct.Struct("=3q")  # requests, tokens, when Redis was told of them (0: not yet)
WORD = struct.Struct("=q")
EIGHT = (0,) * 8
CONTACT, LOST, OWED = 0, 8, 16  # words of the first slot
SIZE = (SLOTS + 1) * SLOT


class NothingKnown(Exception):
    """No process of this host remembers these counters for sure."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Counters as Redis last told them, with what was handed out since. Times are Redis's."""

    now: int
    last: int
    counters: tuple[int, ...]
    handed: tuple[int, int]
    age: float


class Notes:
    """The file of one process. Words are aligned and have one writer, so none is half written."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._map = mmap.mmap(descriptor, SIZE)

    def word(self, at: int) -> int:
        number: int = WORD.unpack_from(self._map, at)[0]
        return number

    def put(self, at: int, number: int) -> None:
        WORD.pack_into(self._map, at, number)

    def note(self, name: int, *numbers: int) -> None:
        NOTE.pack_into(self._map, place(name), name, *numbers)

    def noted(self, name: int) -> tuple[int, ...]:
        """Raises NothingKnown where something else is, or was, in the place of ``name``."""
        found: tuple[int, ...] = NOTE.unpack_from(self._map, place(name))
        if found[0] not in (0, name):
            raise NothingKnown
        return found

    def handed(self, name: int, seen: int) -> tuple[int, int]:
        """Requests and tokens that Redis had not been told of when it was last ``seen``."""
        requests, tokens, told = HANDED.unpack_from(self._map, place(name) + NOTE.size)
        return (0, 0) if 0 < told < seen else (requests, tokens)

    def hand(self, name: int, seen: int, requests: int, tokens: int) -> None:
        """Add to what was handed out since it was last ``seen``."""
        before = self.handed(name, seen)
        after = before[0] + requests, before[1] + tokens, 0
        WORD.pack_into(self._map, place(name), name)
        HANDED.pack_into(self._map, place(name) + NOTE.size, *after)

    def told(self) -> None:
        """Redis knows; a note that is newer knows it too."""
        now = time.monotonic_ns()
        for slot in range(SLOT + NOTE.size, SIZE, SLOT):
            requests, tokens, told = HANDED.unpack_from(self._map, slot)
            if requests and not told:
                HANDED.pack_into(self._map, slot, requests, tokens, now)
        self.put(OWED, 0)


class LastSeen:
    """The notes of this process and, to read, those of all others in a folder."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not os.fstat(self._lock).st_size and os.write(self._lock, b"\0") != 1:
            raise OSError("no room for a lock")
        self._alone = mmap.mmap(self._lock, 1)
        self.mine, self._descriptor = take_over(directory)
        self._all = {self.mine.path: self.mine}
        for word in (CONTACT, LOST, OWED):
            self.mine.put(word, 0)

    def note(self, name: int, now: int, last: int, counters: list[int]) -> None:
        """Remember what Redis has just said of some counters; those of an account are six."""
        seen = time.monotonic_ns()
        self.mine.note(name, now, seen, last, *counters, *EIGHT[len(counters) :])
        self.mine.put(CONTACT, seen)

    def newest(self, name: int) -> Seen:
        """What is known of some counters. Raises NothingKnown."""
        _, now, seen, last, *counters = self._newest(name)
        handed = [notes.handed(name, seen) for notes in self.everybody()]
        age = max(0.0, (time.monotonic_ns() - seen) / 1e9)
        requests, tokens = (sum(column) for column in zip(*handed, strict=True))
        return Seen(now, last, tuple(counters), (requests, tokens), age)

    def _newest(self, name: int) -> tuple[int, ...]:
        known = [notes.noted(name) for notes in self.everybody()]
        newest = max(known, key=lambda note: (note[1], note[6], note[5]))
        if not newest[2]:
            raise NothingKnown
        return newest

    def touch(self) -> None:
        """Redis has answered us."""
        self.mine.put(CONTACT, time.monotonic_ns())

    def lose(self) -> None:
        """Redis does not answer us; that it did not before is remembered."""
        if self.mine.word(LOST) <= self.contact():
            self.mine.put(LOST, time.monotonic_ns())

    def contact(self) -> int:
        """When any process of this host last heard of Redis, in monotonic nanoseconds."""
        now = time.monotonic_ns()
        moments = [notes.word(CONTACT) for notes in self.everybody()]
        return max((moment for moment in moments if moment <= now), default=0)

    def lost(self) -> int:
        """When, since then, the first of them found Redis away."""
        contact, now = self.contact(), time.monotonic_ns()
        moments = [notes.word(LOST) for notes in self.everybody()]
        return min((moment for moment in moments if contact < moment <= now), default=now)

    def hand(self, name: int, requests: int, tokens: int) -> None:
        """Hand out some of what is left; Redis is owed the news. Only while ``alone``."""
        self.mine.hand(name, self._newest(name)[2], requests, tokens)
        self.mine.put(OWED, 1)
        self._alone[0] = 1

    def anybody_owes(self) -> bool:
        """Whether somebody on this host has decided without Redis, and not told it yet."""
        return self._alone[0] != 0

    def others_owe(self) -> bool:
        """The same of living colleagues: the recorder speaks for the dead."""
        with self.alone():
            owing = [notes for notes in self.everybody() if notes.word(OWED)]
        return any(notes is not self.mine and not is_abandoned(notes.path) for notes in owing)

    def nobody_owes(self) -> None:
        self._alone[0] = 0

    def told(self) -> None:
        """Redis knows of everything that this process has handed out."""
        self.mine.told()
        for notes in self.everybody():
            if notes is not self.mine and is_abandoned(notes.path):
                notes.told()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One process of this host at a time, for microseconds."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def everybody(self) -> list[Notes]:
        for path in self._directory.glob("*.notes"):
            if path not in self._all and path.stat().st_size == SIZE:
                with path.open("r+b") as file:
                    self._all[path] = Notes(path, file.fileno())
        return list(self._all.values())

    def close(self) -> None:
        """Leave the notes to whoever comes next."""
        os.close(self._descriptor)
        os.close(self._lock)


def place(name: int) -> int:
    return (name % SLOTS + 1) * SLOT


def is_abandoned(path: Path) -> bool:
    with abandoned(path) as nobody:
        return nobody


def take_over(directory: Path) -> tuple[Notes, int]:
    """The first file that no living process holds; we hold it from now on. Raises OSError."""
    number = 0
    while True:
        path = directory / f"{number}.notes"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            number += 1
            continue
        if os.fstat(descriptor).st_size != SIZE:
            # Written, not stretched: touching a page the full disk has no room for would kill us.
            os.ftruncate(descriptor, 0)
            if os.write(descriptor, bytes(SIZE)) != SIZE:
                os.close(descriptor)
                raise OSError(f"no room for {path}")
        return Notes(path, descriptor), descriptor
