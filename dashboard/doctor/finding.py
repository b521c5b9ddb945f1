"""What the doctor says: one line for each thing that was looked at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["fine", "look", "broken", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``look`` may be meant so; ``unknown`` could not be seen, for something else is away."""

    state: State
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.state:<8} {self.says}{self.remedy and ' → '}{self.remedy}"


Check = Callable[[], Iterable[Finding]]


def fine(says: str) -> Finding:
    return Finding("fine", says)


def look(says: str, remedy: str) -> Finding:
    return Finding("look", says, remedy)


def broken(says: str, remedy: str) -> Finding:
    return Finding("broken", says, remedy)
