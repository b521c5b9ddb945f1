"""Processes on chosen cores: started, measured, and ended by their own ids whatever happens."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from dashboard.embedded.children import spawn

SUBJECT_CORE, OTHER_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 15.0  # seconds that a process may take to end


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Whatever is started inside runs on this core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def running(
    command: list[str], *, core: int, log: Path, environment: dict[str, str] | None = None
) -> Iterator[int]:
    """The id of a process that leads a session of its own; with the block, all of it ends."""
    words = ["env", *[f"{name}={value}" for name, value in (environment or {}).items()], *command]
    with pinned(core), log.open("ab") as output:
        process = spawn(words, output=output, cwd=log.parent)
    try:
        yield process.pid
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; what does not end in time is killed, with all that it started."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str, log: Path, deadline: float = 90.0) -> None:
    """Until anything answers there, be it a refusal. Raises RuntimeError."""
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}; see {log}")


def of_session(leader: int) -> Iterator[Path]:
    """The folders in /proc of a process and everything that it started."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if os.getsid(int(folder.name)) == leader:
                    yield folder


def cpu_seconds(leader: int) -> float:
    """Processor time that a process and its children have used so far."""
    ticks = 0
    for folder in of_session(leader):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory_mb(leader: int) -> float:
    """Their memory; what several of them share is counted once."""
    total = 0
    for folder in of_session(leader):
        with contextlib.suppress(OSError):
            for line in (folder / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return round(total / 1024, 1)


def core_seconds() -> list[tuple[float, float]]:
    """Of each core its busy and all its seconds; what the host took counts as busy."""
    times = []
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            ticks = [int(field) for field in fields[:8]]
            times.append(((sum(ticks) - ticks[3] - ticks[4]) / TICKS, sum(ticks) / TICKS))
    return times


def our_seconds() -> float:
    """Processor time of this process and all its descendants so far, also those that ended."""
    parents, used = {}, {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            pid = int(folder.name)
            parents[pid], used[pid] = int(fields[1]), sum(int(field) for field in fields[11:13])
    ended = os.times()
    total = ended.children_user + ended.children_system
    for pid, ticks in used.items():
        ancestor = pid
        while ancestor != os.getpid() and ancestor in parents:
            ancestor = parents[ancestor]
        total += ticks / TICKS if ancestor == os.getpid() else 0
    return total


class Watch:
    """How busy the cores were, and whose work it was, since it was made."""

    def __init__(self) -> None:
        self._cores, self._ours = core_seconds(), our_seconds()

    def busy_percent(self) -> list[int]:
        pairs = zip(self._cores, core_seconds(), strict=True)
        return [round(100 * (b[0] - a[0]) / max(0.01, b[1] - a[1])) for a, b in pairs]

    def strangers_percent(self) -> int:
        """What others used on all cores, in per cent of one core."""
        now = core_seconds()
        busy = sum(core[0] for core in now) - sum(core[0] for core in self._cores)
        took = now[0][1] - self._cores[0][1]
        return max(0, round(100 * (busy - our_seconds() + self._ours) / max(0.01, took)))


def wait_until_quiet(at_most: float = 5.0) -> None:
    """So that nobody pays for what was before: both cores almost idle for a quarter second."""
    until = time.monotonic() + at_most
    while time.monotonic() < until:
        watch = Watch()
        time.sleep(0.25)
        if max(watch.busy_percent()) <= 15:
            return
