"""Writes tables in Markdown."""

import re
from collections.abc import Iterable, Sequence

NUMBER = re.compile(r"[\d,]+|–|agreed")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of numbers stand to the right.

    >>> print(table(["a", "b"], [["1|x", "3,000"]]))
    | a | b |
    |---|---:|
    | 1\\|x | 3,000 |
    """
    lines = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    columns = list(zip(*lines, strict=True)) or [()] * len(head)
    rule = ["---:" if cells and all(map(NUMBER.fullmatch, cells)) else "---" for cells in columns]
    written = [f"| {' | '.join(line)} |" for line in (head, *lines)]
    return "\n".join([written[0], f"|{'|'.join(rule)}|", *written[1:]])


def code(text: object) -> str:
    return f"`{text}`"
