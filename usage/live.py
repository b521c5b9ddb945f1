"""What the running calls of a process have delivered so far, where a sudden death cannot take it.

A small file mapped into memory: the pages belong to the kernel, so they outlive the process.
Whoever holds the lock on the file is alive.
"""

import fcntl
import mmap
import os
import sys
from pathlib import Path

SLOTS = 8192
SLOT = 64  # bytes: the request id, the completion tokens, room to grow
ID = 32
WORDS = SLOT // 8


def lock_new(path: Path, flags: int) -> int:
    """Create ``path`` and lock it for good; the descriptor. Raises FileExistsError.

    The recorder deletes files under the same lock, so what we locked may be gone already.
    """
    while True:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


class LiveCalls:
    """The writing side: one slot per running call."""

    def __init__(self, path: Path) -> None:
        self._descriptor = lock_new(path, os.O_RDWR)
        try:
            # Written, not stretched: touching a page the full disk has no room for would kill us.
            if os.write(self._descriptor, bytes(SLOTS * SLOT)) != SLOTS * SLOT:
                raise OSError(f"no room for {path}")
            self._map = mmap.mmap(self._descriptor, SLOTS * SLOT)
        except OSError:
            path.unlink()
            os.close(self._descriptor)
            raise
        self._words = memoryview(self._map).cast("Q")
        self._free = list(range(SLOTS - 1, -1, -1))

    def take(self, request_id: str) -> int:
        """A slot for a call that begins. Raises IndexError when all are taken."""
        slot = self._free.pop()
        self._words[slot * WORDS + ID // 8] = 0
        self._map[slot * SLOT : slot * SLOT + ID] = request_id.encode()[:ID].ljust(ID, b"\0")
        return slot

    def deliver(self, slot: int, completion_tokens: int) -> None:
        """Note how much reached the client; one aligned word, so never half written."""
        self._words[slot * WORDS + ID // 8] = completion_tokens

    def give_back(self, slot: int) -> None:
        self._free.append(slot)

    def close(self) -> None:
        self._words.release()
        self._map.close()
        os.close(self._descriptor)


def delivered(path: Path) -> dict[str, int]:
    """Completion tokens per request id, as the file says; the owner may be dead."""
    data = path.read_bytes() if path.exists() else b""
    found = {}
    for start in range(0, len(data) - SLOT + 1, SLOT):
        request_id = data[start : start + ID].rstrip(b"\0").decode(errors="replace")
        if request_id:
            count = data[start + ID : start + ID + 8]
            found[request_id] = int.from_bytes(count, byteorder=sys.byteorder)
    return found
