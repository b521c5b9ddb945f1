"""What docs/performance.md has measured, in figures for people; nothing else is said of speed."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dashboard.instance import ROOT

MEASURED = ROOT / "docs" / "performance.md"
KEYPLEX, ADDED = "keyplex", "T-2 added p50, ms"  # how two rows begin


@dataclass(frozen=True, slots=True)
class Figure:
    value: str
    unit: str
    meaning: str


def row(text: str, name: str) -> list[str]:
    """The cells behind ``name`` in the first row that begins with it; none without one.

    >>> row("| a | 1 | 2 |", "a"), row("| a | 1 |", "b")
    (['1', '2'], [])
    """
    for line in text.splitlines():
        first, *cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if first == name:
            return cells
    return []


@cache
def figures(path: Path = MEASURED) -> tuple[Figure, ...]:
    """Of the last run, all of them or none."""
    text = path.read_text()
    ours, added = row(text, KEYPLEX), row(text, ADDED)
    if len(ours) < 9 or len(added) < 2:
        return ()
    return (
        Figure(f"{float(added[1]):.1f}", "ms", "added to a call, in the median"),
        Figure(ours[0], "calls a second", "through one core of a small shared machine"),
        Figure(ours[8], "MB", "of memory for a whole gateway process"),
    )
