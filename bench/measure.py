"""One subject under one load for some seconds: what the driver saw, and what it cost."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bench.processes import (
    OTHER_CORE,
    busy,
    core_times,
    cpu_seconds,
    memory_mb,
    pinned,
    wait_until_quiet,
)
from bench.subjects import CHUNKS, PACE, Subject
from dashboard.instance import ROOT

WARM_UP = 0.5
GRACE = 30.0  # seconds that the driver may take on top


@dataclass(frozen=True)
class Kind:
    """A kind of load."""

    name: str
    connections: int
    seconds: float
    streamed: bool = False


Figures = dict[str, Any]


def measure(subject: Subject, kind: Kind) -> Figures:
    """The driver's report, with the processor time per answer in µs (of a stream: per chunk).

    ``busy_percent`` says of each core how busy it was, whoever kept it so.
    """
    wait_until_quiet()
    warm_up = WARM_UP + (CHUNKS * PACE if kind.streamed else 0)
    used, before = cpu_seconds(subject.leader), core_times()
    report = drive(subject, kind, warm_up)
    used, after = cpu_seconds(subject.leader) - used, core_times()
    answered = report["answered"]
    return report | {
        "cpu_us": round(1e6 * used / answered, 1) if answered else None,
        "busy_percent": busy(before, after),
        "memory_mb": memory_mb(subject.leader),
    }


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
