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


def core_times() -> dict[int, tuple[int, int]]:
    """For each core its busy ticks and all its ticks; what the host took counts as busy."""
    times = {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            ticks = [int(field) for field in fields[:8]]
            times[int(name[3:])] = (sum(ticks) - ticks[3] - ticks[4], sum(ticks))
    return times


def busy(before: dict[int, tuple[int, int]], after: dict[int, tuple[int, int]]) -> list[int]:
    """Per cent that every core was busy in between."""
    return [
        round(100 * (after[core][0] - was[0]) / max(1, after[core][1] - was[1]))
        for core, was in before.items()
    ]


def wait_until_quiet(at_most: float = 5.0) -> None:
    """So that nobody pays for what was before: both cores almost idle for a quarter second."""
    until = time.monotonic() + at_most
    while time.monotonic() < until:
        before = core_times()
        time.sleep(0.25)
        if max(busy(before, core_times())) <= 15:
            return
