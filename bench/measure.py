"""One subject under one load for some seconds: what the driver saw, and what it cost."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from bench.processes import OTHER_CORE, Watch, cpu_seconds, memory_mb, pinned, wait_until_quiet
from bench.subjects import CHUNKS, PACE, Subject
from dashboard.instance import ROOT

WARM_UP = 0.5
GRACE = 30.0  # seconds that the driver may take on top
TRIES, CALM = 3, 8  # a measurement is calm if strangers used this many per cent of a core


@dataclass(frozen=True)
class Kind:
    """A kind of load."""

    name: str
    connections: int
    seconds: float
    streamed: bool = False


Figures = dict[str, Any]


def measure(subject: Subject, kind: Kind) -> Figures:
    """The figures of the least disturbed of up to ``TRIES`` tries; the first calm one ends it."""
    best: Figures = {}
    for _ in range(TRIES):
        figures = once(subject, kind)
        if not best or figures["strangers_percent"] < best["strangers_percent"]:
            best = figures
        if best["strangers_percent"] <= CALM:
            break
    return best


def once(subject: Subject, kind: Kind) -> Figures:
    """The driver's report, with the processor time per answer in µs (of a stream: per chunk).

    ``busy_percent`` says of each core how busy it was, whoever kept it so; ``strangers_percent``
    what programs used that have nothing to do with us.
    """
    wait_until_quiet()
    warm_up = WARM_UP + (CHUNKS * PACE if kind.streamed else 0)
    used, watch = cpu_seconds(subject.leader), Watch()
    with Peak(subject.leader) as peak:
        report = drive(subject, kind, warm_up)
    used = cpu_seconds(subject.leader) - used
    answered = report["answered"]
    return report | {
        "cpu_us": round(1e6 * used / answered, 1) if answered else None,
        "busy_percent": watch.busy_percent(),
        "strangers_percent": watch.strangers_percent(),
        "memory_mb": memory_mb(subject.leader),
        "peak_memory_mb": peak.memory_mb,
    }


class Peak:
    """``with``: the most memory that a subject has meanwhile, looked at every second."""

    def __init__(self, leader: int) -> None:
        self.memory_mb = 0.0
        self._leader = leader
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(1):
            self.memory_mb = max(self.memory_mb, memory_mb(self._leader))


def drive(subject: Subject, kind: Kind, warm_up: float) -> Figures:
    words = [sys.executable, "-m", "bench.driver", subject.url, "--model", subject.model]
    words += ["--connections", str(kind.connections), "--seconds", str(kind.seconds)]
    words += ["--warm-up", str(warm_up), "--chunks", str(CHUNKS if kind.streamed else 0)]
    for header in subject.headers:
        words += ["--header", header]
    limit = kind.seconds + warm_up + GRACE
    with pinned(OTHER_CORE):
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=limit)
    report: Figures = json.loads(done.stdout)
    return report
