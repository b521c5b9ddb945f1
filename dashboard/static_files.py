"""Hands out what ``collectstatic`` has gathered; the server reads and sends each file, not we."""

import mimetypes
import os
import re
import stat
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.utils._os import safe_join
from django.utils.http import http_date
from django.views.static import was_modified_since

from gateway.call import JSON, Call, Receive, Scope, Send
from gateway.errors import Headers

PLACE = "/static/"
NAMED_BY_CONTENT = re.compile(r"\.[0-9a-f]{12}\.\w+$")
FOR_EVER, ASK_AGAIN = b"public, max-age=31536000, immutable", b"no-cache"
ABSENT = b'{"error":"There is no such file."}'
READ_ONLY = b'{"error":"Files can be read only."}'


async def static_files(scope: Scope, receive: Receive, send: Send) -> None:
    """A file below ``STATIC_ROOT``; one whose name is made of its content is kept for ever."""
    call = Call(scope, receive, send)
    if call.method not in {"GET", "HEAD"}:
        return await call.answer(405, READ_ONLY, [*JSON, (b"allow", b"GET, HEAD")])
    path = below(settings.STATIC_ROOT, call.path.removeprefix(PLACE))
    found = status_of(path) if path else None
    if path is None or found is None:
        return await call.answer(404, ABSENT)
    headers = about(path, found)
    if not was_modified_since(call.header(b"if-modified-since") or None, found.st_mtime):
        return await call.answer(304, b"", headers)
    sent, size = path, found.st_size
    if (smaller := compressed(path)) and takes_gzip(call):
        sent, size = smaller, smaller.stat().st_size
        headers.append((b"content-encoding", b"gzip"))
    await call.start(200, [*headers, (b"content-length", b"%d" % size)])
    if call.method == "HEAD":
        return await call.write(b"", more=False)
    return await send({"type": "http.response.pathsend", "path": str(sent)})


def compressed(path: Path) -> Path | None:
    """The copy that ``static_storage`` has made, if there is one."""
    copy = path.with_name(path.name + ".gz")
    return copy if copy.is_file() else None


def takes_gzip(call: Call) -> bool:
    """Whether the client says so, and not that it would rather not."""
    wanted = [part.strip().lower() for part in call.header(b"accept-encoding").split(",")]
    return any(re.fullmatch(r"gzip(;\s*q=(?!0(\.0*)?$).*)?", part) for part in wanted)


def below(root: Path, name: str) -> Path | None:
    """The path of that name; None for one that leads out of ``root``."""
    try:
        return Path(safe_join(root, name))
    except (SuspiciousFileOperation, ValueError):
        return None


def status_of(path: Path) -> os.stat_result | None:
    """None if there is no file at ``path``."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # the name may have a null byte in it
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def about(path: Path, found: os.stat_result) -> Headers:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind.endswith(("javascript", "json"))
    how_long = FOR_EVER if NAMED_BY_CONTENT.search(path.name) else ASK_AGAIN
    return [
        (b"content-type", (f"{kind}; charset=utf-8" if text else kind).encode()),
        (b"last-modified", http_date(found.st_mtime).encode()),
        (b"cache-control", how_long),
        (b"vary", b"accept-encoding"),
    ]
