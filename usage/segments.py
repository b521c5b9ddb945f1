"""The journal as the recorder sees it: segments to read to their end, writers that live or died."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from usage.live import delivered
from usage.records import Final, Record, is_cut_off, records

log = logging.getLogger(__name__)
NAME = re.compile(r"(?P<process>[0-9a-f]+)\.(?P<number>\d+|live)", re.ASCII)


@contextlib.contextmanager
def abandoned(path: Path) -> Iterator[bool]:
    """Whether nobody holds the lock of ``path``; if so, we hold it meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


class Segment:
    """One file of one writer, read once from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.process, _, number = path.name.partition(".")
        self.number = int(number)
        self.offset = 0
        self.open_calls: set[str] = set()  # intents in here whose final was not seen yet
        self.reserved: dict[str, Final] = {}  # finals in here that had a reservation

    def read(self) -> Iterator[Record]:
        """The records that were not read yet, as far as the file is whole."""
        start, data = self.offset, self._rest()
        for record, end in records(data):
            self.offset = start + end
            yield record

    def _rest(self) -> bytes:
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read()
        return b""

    def delete(self) -> bool:
        """Delete the file if its writer has finished it and all of it was read.

        What cannot be read is kept beside the journal, unless it is a record that was never
        finished: nobody was served on the strength of that one.
        """
        with abandoned(self.path) as finished:
            if not finished:
                return False
            rest = self._rest()
            if next(records(rest), None):
                return False
            if rest and not is_cut_off(rest):
                log.error("%s is damaged after %d bytes and is kept", self.path, self.offset)
                self.path.rename(self.path.with_name(f"{self.path.name}.damaged"))
            else:
                self.path.unlink(missing_ok=True)
        return True


class Segments:
    """All segments in a folder, in the order in which each process wrote them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._known: dict[str, Segment] = {}

    def current(self) -> list[Segment]:
        """Those known so far and those that came since."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in self.directory.iterdir():
            match = NAME.fullmatch(path.name)
            if match and match["number"] != "live" and path.name not in self._known:
                self._known[path.name] = Segment(path)
        return sorted(self._known.values(), key=lambda segment: (segment.process, segment.number))

    def dead(self) -> set[str]:
        """Processes that will write no more."""
        processes = {segment.process for segment in self.current()}
        return {process for process in processes if self._is_dead(process)}

    def _is_dead(self, process: str) -> bool:
        with abandoned(self._live(process)) as dead:
            return dead

    def _live(self, process: str) -> Path:
        return self.directory / f"{process}.live"

    def delivered(self, process: str) -> dict[str, int]:
        """Completion tokens that the calls of a process had delivered, by request id."""
        return delivered(self._live(process))

    def forget(self, segment: Segment) -> None:
        """Delete a segment from which nothing is wanted any more, if its writer is done with it."""
        if segment.delete():
            del self._known[segment.path.name]

    def tidy(self) -> None:
        """Delete what dead processes leave once all their segments are gone."""
        busy = {segment.process for segment in self.current()}
        for path in self.directory.glob("*.live"):
            if path.stem not in busy:
                with abandoned(path) as dead:
                    if dead and not any(self.directory.glob(f"{path.stem}.[0-9]*")):
                        path.unlink(missing_ok=True)
