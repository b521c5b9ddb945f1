"""How the recorder of this host is doing, seen from outside: from the files that it shares."""

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from usage.recorder import LOCK, REJECTED
from usage.segments import NAME


@dataclass(frozen=True, slots=True)
class Watched:
    """``lag`` is how long ago that was of which everything is recorded; None if nothing ever was.

    ``segments`` and their ``size`` in bytes still wait, or are being written; ``damaged`` files
    and ``rejected`` bytes wait for a person.
    """

    running: bool
    lag: float | None
    segments: int
    size: int
    damaged: int
    rejected: int


def watch(directory: Path) -> Watched:
    """Disturbs nobody. Raises OSError where the folder cannot be read."""
    found = {path.name: path for path in directory.iterdir()} if directory.exists() else {}
    segments = [path for name, path in found.items() if is_segment(name)]
    lock = found.get(LOCK)
    return Watched(
        running=lock is not None and is_held(lock),
        lag=max(0.0, time.time() - lock.stat().st_mtime) if lock else None,
        segments=len(segments),
        size=sum(map(size_of, segments)),
        damaged=sum(name.endswith(".damaged") for name in found),
        rejected=size_of(found[REJECTED]) if REJECTED in found else 0,
    )


def is_segment(name: str) -> bool:
    match = NAME.fullmatch(name)
    return match is not None and match["number"] != "live"


def size_of(path: Path) -> int:
    """In bytes; 0 if the recorder was done with it meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def is_held(lock: Path) -> bool:
    """Whether a recorder holds the folder. A recorder that begins just now tries again at once."""
    descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
