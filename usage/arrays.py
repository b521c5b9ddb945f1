"""Columns of many rows as PostgreSQL writes arrays. The driver's own way looks at each element."""

from collections.abc import Iterable, Sequence
from typing import Any


def arrays(rows: Iterable[Sequence[Any]]) -> list[str]:
    """The columns of ``rows``, of which there is at least one, each as an array."""
    return [array(column) for column in zip(*rows, strict=True)]


def array(values: Sequence[Any]) -> str:
    r"""Of text, or of what PostgreSQL reads as Python writes it; NULL is None.

    >>> array([1, None]), array(['a"b', ""]), array(["\\"])
    ('{1,NULL}', '{"a\\"b",""}', '{"\\\\"}')
    """
    if isinstance(values[0], str):
        return '{"' + quoted("\0".join(values)).replace("\0", '","') + '"}'  # no text has a NUL
    return "{" + ",".join(map(str, values)).replace("None", "NULL") + "}"


def quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
