"""Keeps the processes of an instance running, and ends them in order.

PostgreSQL and Valkey start first and end last; in between our own: web, recorder, worker, beat.
Whoever ends unasked is started again, after a pause that grows while that keeps happening.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dashboard.embedded.children import Trouble, spawn
from dashboard.instance import ROOT
from webhooks.nudges import FAILING, QUEUE

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a child is started again
STEADY_AFTER = 60.0  # seconds after which an earlier end is forgotten
PATIENCE = 40.0  # seconds that a child may take to end
Say = Callable[[str], None]


class Program(Protocol):
    """Something to keep running."""

    name: str

    def start(self) -> subprocess.Popen[bytes]: ...

    def stop(self, process: subprocess.Popen[bytes], /) -> None: ...


@dataclass
class Process:
    """One of our own programs; its output goes to a log file in the data folder."""

    name: str
    command: list[str]
    log: Path
    secrets: dict[str, str] = field(default_factory=dict)  # for its environment; ps shows commands

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return spawn(self.command, output=output, cwd=ROOT, secrets=self.secrets)

    def stop(self, process: subprocess.Popen[bytes], /) -> None:
        """Ask it to end; what does not end in time is killed, with all that it started."""
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass
class Child:
    """A program while we supervise it."""

    program: Program
    process: subprocess.Popen[bytes]
    started_at: float = field(default_factory=time.monotonic)
    pause: float = FIRST_PAUSE
    again_at: float | None = None


class Supervisor:
    """Starts programs, watches them, stops them."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._children: list[Child] = []
        self._stopping = False

    def start(self, program: Program) -> None:
        """Start ``program`` and keep it running. Raises Trouble."""
        self._children.append(Child(program, program.start()))

    def run(self) -> None:
        """Until SIGINT or SIGTERM; then stop everything."""
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._stop_soon)
        while not self._stopping:
            time.sleep(0.2)
            for child in self._children:
                self._look_after(child)
        self.stop()

    def stop(self) -> None:
        """First our own, the one that takes requests before all others; then the servers."""
        ours = [child for child in self._children if isinstance(child.program, Process)]
        servers = [child for child in self._children if child not in ours]
        for child in [*ours, *reversed(servers)]:
            if child.process.poll() is None:
                child.program.stop(child.process)
        self._children.clear()

    def ended(self) -> str | None:
        """The name of a program that is not running, if there is one."""
        return next((c.program.name for c in self._children if c.process.poll() is not None), None)

    def _stop_soon(self, *_: object) -> None:
        self._stopping = True

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process.poll() is None:
            return
        if child.again_at is None:
            steady = now - child.started_at > STEADY_AFTER
            child.pause = FIRST_PAUSE if steady else min(child.pause * 2, LONGEST_PAUSE)
            child.again_at = now + child.pause
            self._say(
                f"{child.program.name} ended with {child.process.returncode}; "
                f"starting it again in {child.pause:.0f} s"
            )
        elif now >= child.again_at:
            child.again_at, child.started_at = None, now
            try:
                child.process = child.program.start()
            except Trouble as trouble:
                self._say(f"{child.program.name}: {trouble}")


def processes(data: Path, *, host: str, port: int, workers: int) -> list[Process]:
    """Our own programs, in the order in which they start."""
    python = sys.executable
    celery = [python, "-m", "celery", "--app", "dashboard", "--quiet"]
    commands = {
        "web": web_command(host=host, port=port, workers=workers),
        "recorder": [python, str(ROOT / "manage.py"), "record_usage"],
        "worker": [*celery, *worker_of("celery", threads=8)],
        "webhooks": [*celery, *worker_of(QUEUE, threads=32)],  # most of which only wait
        "webhooks-failing": [*celery, *worker_of(FAILING, threads=16)],
        "beat": [*celery, "beat", "--schedule", str(data / "beat"), "--pidfile="],
    }
    return [Process(name, command, data / f"{name}.log") for name, command in commands.items()]


def worker_of(queue: str, *, threads: int) -> list[str]:
    pool = ["--pool", "threads", "--concurrency", str(threads)]
    return ["worker", "--queues", queue, "--hostname", f"{queue}@%h", *pool, "-l", "warning"]


def web_command(*, host: str, port: int, workers: int) -> list[str]:
    """Granian as measured (docs/performance.md), with room for many streams at once.

    Its deadlines and limits come before any code of ours runs (docs/operations.md).
    """
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--http", "1", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(workers), "--loop", "uvloop"),
        *("--backlog", "2048", "--backpressure", "4096", "--respawn-failed-workers"),
        *("--respawn-interval", "0.2", "--workers-kill-timeout", "30"),
        *(
            "--http1-header-read-timeout",
            "10000",
            "--http1-buffer-size",
            "32768",
            "--log-level",
            "warning",
        ),
        "dashboard.asgi:application",
    ]
