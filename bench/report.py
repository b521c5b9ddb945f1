"""From figures of many rounds to medians, ratios and a table.

Ratios and differences are taken within a round, where both sides met the same machine; then the
median of the rounds counts, with the least and the greatest beside it.
"""

import json
import os
import platform
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bench import peers
from bench.measure import CALM, Figures
from dashboard.instance import ROOT

RESULTS = ROOT / "bench" / "results"
PACKAGES = ("granian", "httptools", "pyreqwest", "uvloop", "msgspec", "hiredis", "django")
FRONTIER = (2, 4, 8, 16, 24, 64, 128)  # connections, beside 1 and 32
BOUND = 10  # ms that 99 % of the answers must stay below
Round = dict[str, dict[str, Figures]]  # subject → kind of load → what was measured


def flat(figures: Figures, prefix: str = "") -> dict[str, float]:
    """``{"latency_ms": {"p50": 1}}`` as ``{"latency_ms.p50": 1}``; numbers only."""
    found: dict[str, float] = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float):
            found[prefix + name] = value
    return found


def medians(rounds: list[Round]) -> dict[str, dict[str, dict[str, float]]]:
    """The same shape as one round."""
    result: dict[str, dict[str, dict[str, float]]] = {}
    for subject, kinds in rounds[0].items():
        for kind in kinds:
            each = [flat(one[subject][kind]) for one in rounds]
            names = dict.fromkeys(name for figures in each for name in figures)
            result.setdefault(subject, {})[kind] = {
                name: statistics.median(f[name] for f in each if name in f) for name in names
            }
    return result


def paired(rounds: list[Round], of: Callable[[Round], float]) -> dict[str, float] | None:
    """Median, least and greatest of a comparison; None if somebody is missing or broken."""
    try:
        values = [of(one) for one in rounds]
    except (KeyError, ZeroDivisionError, TypeError):
        return None  # or this load was not asked for
    named = {"median": statistics.median(values), "least": min(values), "greatest": max(values)}
    return {name: round(value, 3) for name, value in named.items()}


def rate(one: Round, subject: str) -> float:
    return float(one[subject]["32 connections"]["requests_per_second"])


def cost(one: Round, subject: str) -> float:
    return float(one[subject]["32 connections"]["cpu_us"])


def single(one: Round, subject: str, part: str) -> float:
    return float(one[subject]["1 connection"]["latency_ms"][part])


def added(one: Round, subject: str, part: str) -> float:
    """Milliseconds at one connection over asking the upstream itself."""
    return single(one, subject, part) - single(one, "direct", part)


def in_streams(one: Round, what: str, part: str) -> float:
    of = {name: one[name]["64 streams"][what][part] for name in ("keyplex", "direct")}
    return float(of["keyplex"] - of["direct"])


def frontier(one: Round) -> float:
    """The most requests/s with 99 % of them in ``BOUND``, as a part of the most at all."""
    loads = [one["keyplex"][f"{number} connections"] for number in (*FRONTIER, 32)]
    within = [load for load in loads if load["latency_ms"]["p99"] <= BOUND and not load["errors"]]
    most = max(load["requests_per_second"] for load in loads)
    return float(max(load["requests_per_second"] for load in within) / most)


def per_stream(one: Round) -> float:
    """KiB that an open stream takes."""
    loads = one["keyplex"]
    grown = loads["512 streams"]["peak_memory_mb"] - loads["1 connection"]["memory_mb"]
    return float(grown * 1024 / 512)


COMPARISONS: dict[str, tuple[str, Callable[[Round], float]]] = {
    "T-1 requests/s over the forwarder's": (
        "≥ 0.45",
        lambda one: rate(one, "keyplex") / rate(one, "forwarder"),
    ),
    "the same in processor time per request": (
        "≥ 0.45",
        lambda one: cost(one, "forwarder") / cost(one, "keyplex"),
    ),
    "T-1 requests/s over LiteLLM's": (
        "≥ 40",
        lambda one: rate(one, "keyplex") / rate(one, "litellm"),
    ),
    "T-1 requests/s over Portkey's": (
        "≥ 8",
        lambda one: rate(one, "keyplex") / rate(one, "portkey"),
    ),
    "T-2 added p50, ms": ("≤ 0.7", lambda one: added(one, "keyplex", "p50")),
    "T-2 added p99, ms": ("≤ 2", lambda one: added(one, "keyplex", "p99")),
    "T-2 added p50 over LiteLLM's": (
        "≤ 0.1",
        lambda one: added(one, "keyplex", "p50") / added(one, "litellm", "p50"),
    ),
    "added p50 of the forwarder, ms": ("", lambda one: added(one, "forwarder", "p50")),
    "T-4 added time to the first chunk, p99, ms": (
        "≤ 2",
        lambda one: in_streams(one, "ttft_ms", "p99"),
    ),
    "T-4 added gap between chunks, p99, ms": (
        "≤ 1",
        lambda one: in_streams(one, "chunk_gap_ms", "p99"),
    ),
    "T-3 requests/s with 99 % in 10 ms, over the most at all": ("≥ 0.8", frontier),
    "T-4 longest gap between chunks of 512 streams, ms": (
        "≤ 200",
        lambda one: float(one["keyplex"]["512 streams"]["chunk_gap_ms"]["max"]),
    ),
    "the same of the forwarder": (
        "",
        lambda one: float(one["forwarder"]["512 streams"]["chunk_gap_ms"]["max"]),
    ),
    "T-5 memory of a worker at rest, MB": (
        "≤ 120",
        lambda one: float(one["keyplex"]["1 connection"]["memory_mb"]),
    ),
    "T-5 memory of an open stream, KiB": ("≤ 64", per_stream),
}


def table(middle: dict[str, dict[str, dict[str, float]]]) -> str:
    """Subject by subject, in Markdown."""
    columns = [
        ("requests/s, 32 connections", "32 connections", "requests_per_second", ",.0f"),
        ("p99 ms", "32 connections", "latency_ms.p99", ",.1f"),
        ("CPU µs/request", "32 connections", "cpu_us", ",.0f"),
        ("p50 ms, 1 connection", "1 connection", "latency_ms.p50", ",.2f"),
        ("p99 ms", "1 connection", "latency_ms.p99", ",.2f"),
        ("first chunk p99 ms, 64 streams", "64 streams", "ttft_ms.p99", ",.1f"),
        ("chunk delay p99 ms", "64 streams", "chunk_delay_ms.p99", ",.1f"),
        ("CPU µs/chunk", "64 streams", "cpu_us", ",.0f"),
        ("memory MB", "64 streams", "memory_mb", ",.0f"),
    ]
    lines = ["| | " + " | ".join(title for title, *_ in columns) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for subject, kinds in middle.items():
        cells = []
        for _, kind, name, form in columns:
            value = kinds[kind].get(name)
            cells.append("–" if value is None else format(value, form))
        lines.append(f"| {subject} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def comparisons_table(rounds: list[Round]) -> str:
    lines = ["| | target | median | least – greatest |", "|---|---|---:|---:|"]
    for name, (target, of) in COMPARISONS.items():
        if found := paired(rounds, of):
            low, middle, high = found["least"], found["median"], found["greatest"]
            lines.append(f"| {name} | {target} | {middle:.2f} | {low:.2f} – {high:.2f} |")
    return "\n".join(lines)


def remarks(rounds: list[Round]) -> list[str]:
    """Whoever gave a wrong answer, in which load, how often; and what was disturbed."""
    said = []
    for number, one in enumerate(rounds, 1):
        loads = [(subject, *load) for subject, kinds in one.items() for load in kinds.items()]
        for subject, kind, figures in loads:
            if figures["strangers_percent"] > CALM:
                share = figures["strangers_percent"]
                said.append(
                    f"round {number}, {subject}, {kind}: strangers used {share} % of a core"
                )
            for what, count in figures["errors"].items():
                said.append(f"round {number}, {subject}, {kind}: {what} × {count}")
    return said


def save(rounds: list[Round], options: dict[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": options,
        "machine": machine(),
        "medians": medians(rounds),
        "comparisons": {name: paired(rounds, of) for name, (_, of) in COMPARISONS.items()},
        "remarks": remarks(rounds),
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def machine() -> dict[str, Any]:
    """What somebody must know who compares these figures with their own."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "?")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
        **peers.versions(),
    }
