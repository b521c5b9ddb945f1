"""CSV files that are written while they are read, and that no spreadsheet takes for formulas."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

Row = Sequence[object]
AT_ONCE = 500  # rows
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def download(request: HttpRequest, name: str, rows: Iterable[Row]) -> StreamingHttpResponse:
    """A file of this name with ``rows``, which are asked for as the client takes them."""
    chunks = _chunks(iter(rows))
    content = _awaited(chunks) if isinstance(request, ASGIRequest) else chunks
    return StreamingHttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula; what clients send can begin with anything.

    >>> harmless("=1+1"), harmless(" =1"), harmless("gpt-4o"), harmless(-5)
    ("'=1+1", "' =1", 'gpt-4o', -5)
    """
    risky = isinstance(value, str) and value.lstrip(" ").startswith(FORMULA)
    return f"'{value}" if risky else value


def lines(rows: Iterable[Iterable[object]]) -> str:
    """These rows as CSV, every cell of them harmless."""
    text = StringIO()
    csv.writer(text).writerows([harmless(value) for value in row] for row in rows)
    return text.getvalue()


def _chunks(rows: Iterator[Row]) -> Iterator[bytes]:
    while some := list(islice(rows, AT_ONCE)):
        yield lines(some).encode(errors="replace")


async def _awaited(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Django would read the whole of a plain iterator before it sends anything."""
    while chunk := await sync_to_async(lambda: next(chunks, None))():
        yield chunk
