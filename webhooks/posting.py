"""One POST to a URL of a user, within a deadline, and what came of it.

No redirect is followed, no proxy of the environment is asked, and no connection is used twice:
each request finds out anew where its URL leads.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpcore

from webhooks.dialing import Deadline, Dialer, Failed, Trouble
from webhooks.egress import BadURL, Target, parse

MOST_READ = 64 * 1024  # bytes of an answer; the rest is never taken
MOST_KEPT = 4 * 1024  # bytes of it that anyone may want to see
DAY = 24 * 3600

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"([!-~]([ -~\t]*[!-~])?)?")
FRAMING = {  # what we say ourselves, or what ends before the receiver
    *("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive"),
    *("proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}


@dataclass(frozen=True)
class Reply:
    """What a receiver has said, as far as it came."""

    status: int | None = None  # of its answer, if one came
    retry_after: int | None = None  # seconds, if it named a time: at least one, at most a day
    excerpt: str = ""  # the beginning of the body
    error: str = ""  # a Trouble, if there was one
    duration_ms: int = 0

    @property
    def ok(self) -> bool:
        """Whether it said yes. A body that broke off afterwards does not take that back."""
        return self.status is not None and 200 <= self.status < 300


class Answer:
    """Filled as it comes, so that what came before some trouble is not lost."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: int | None = None
        self.body = bytearray()

    def hear(self, response: httpcore.Response) -> None:
        """Raises Failed, httpcore.RemoteProtocolError."""
        self.status = response.status
        for name, value in response.headers:
            if name.lower() == b"retry-after":
                self.retry_after = seconds_of(value.decode("latin-1"))
        for chunk in response.iter_stream():
            self.body += chunk[: MOST_READ - len(self.body)]
            if len(self.body) == MOST_READ:
                break


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, deadline_seconds: float = 15.0
) -> Reply:
    """Send ``body`` and be back within the deadline, whatever the receiver does.

    Raises ValueError for a header that must not be sent, and nothing else.
    """
    refuse_bad(headers)
    started, answer, error = time.monotonic(), Answer(), ""
    deadline = Deadline(deadline_seconds)
    try:
        target = parse(url)
        with Dialer(target, deadline) as dialer:
            answer.hear(ask(dialer, target, body, headers))
    except BadURL:  # now; it was good when it was set
        error = Trouble.NOT_PUBLIC
    except httpcore.RemoteProtocolError:
        error = Trouble.NOT_HTTP
    except Failed as failed:
        error = failed.trouble
    duration_ms = round((time.monotonic() - started) * 1000)
    return Reply(answer.status, answer.retry_after, excerpt(answer.body), error, duration_ms)


def ask(
    dialer: Dialer, target: Target, body: bytes, headers: Mapping[str, str]
) -> httpcore.Response:
    """Raises Failed, httpcore.RemoteProtocolError."""
    # For httpcore it is always plain HTTP: the dialer speaks TLS.
    url = httpcore.URL(scheme="http", host=target.host, port=target.port, target=target.path)
    said = [
        ("Host", target.authority),
        ("Content-Length", str(len(body))),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        *headers.items(),
    ]
    request = httpcore.Request("POST", url, headers=said, content=body)
    return httpcore.HTTPConnection(url.origin, network_backend=dialer).handle_request(request)


def refuse_bad(headers: Mapping[str, str]) -> None:
    """Raises ValueError for what would not stay within its line, or is not the caller's to say."""
    for name, value in headers.items():
        if not TOKEN.fullmatch(name) or name.lower() in FRAMING:
            raise ValueError(f"{name!r} is no name of a header for us to send")
        if not VALUE.fullmatch(value):
            raise ValueError(f"{name} has a value that is no printable ASCII")


def seconds_of(retry_after: str) -> int | None:
    """What ``Retry-After`` asks for, between a second and a day."""
    text = retry_after.strip()[:64]
    try:
        if text.isascii() and text.isdigit():
            wanted = float(text)
        else:
            wanted = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return int(min(max(wanted, 1), DAY))


def excerpt(body: bytes | bytearray) -> str:
    """The beginning of a body as text that a page can show and a database can hold."""
    text = body[:MOST_KEPT].decode(errors="replace").replace("\0", "\ufffd")
    return text.encode()[:MOST_KEPT].decode(errors="ignore")
