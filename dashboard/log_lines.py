"""What a log line looks like, and that no secret is in it, whoever wrote it.

Secrets are known by their shape (``gateway/redaction.py``), by the name before them, and those of
this instance by their very text. Nothing here may fail: a line that cannot be made is lost.
"""

import json
import logging
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from urllib.parse import unquote, urlsplit

from django.conf import settings

from dashboard.instance import SECRETS
from gateway.redaction import GONE, Redaction

REQUEST_ID = re.compile(r"(req_0[0-9a-f]{27})")
SHORTEST = 8  # characters of a secret that is known by its text
CREDENTIAL = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PEPPER)$")  # ends the name of a variable
NAMED = re.compile(
    r"(?i)(password|passwd|secret|token|api[_-]?key|authorization|cookie)"
    r"(\s{0,3}[=:]\s{0,3})(?![\s\[])(?:(?:bearer|basic)\s)?[^\s&,;\"')\]}]+"
)
IN_URL = re.compile(r"(://[^\s:@/]{0,100}):[^\s@/]{1,300}@")
CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
CONTROLS |= {9: "\t", 10: "\\n", 13: "\\r"}
_redaction = Redaction()


class Line(logging.Formatter):
    """For people. A message is one line, whatever stands in it; a traceback follows as it is."""

    def format(self, record: logging.LogRecord) -> str:
        record.message, record.asctime = message_of(record), self.formatTime(record)
        parts = [self.formatMessage(record).translate(CONTROLS), traceback_of(self, record)]
        return clean("\n".join(filter(None, parts)))


class JSONLine(logging.Formatter):
    """For a log store: one object a line, in UTC, with ``request_id`` where the message has one."""

    def format(self, record: logging.LogRecord) -> str:
        message, error = message_of(record), traceback_of(self, record)
        request_id = REQUEST_ID.search(message)
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean(message),
            "request_id": request_id and request_id[0],
            "process": record.process,
            "error": error and clean(error),
        }
        return json.dumps({name: value for name, value in said.items() if value})


def message_of(record: logging.LogRecord) -> str:
    """The message; where its arguments do not fit, as it was written."""
    try:
        return record.getMessage()
    except Exception:
        return str(record.msg)


def traceback_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """What went wrong, if anything did. Kept nowhere: another formatter would take it as it is."""
    error = formatter.formatException(record.exc_info) if record.exc_info else ""
    stack = formatter.formatStack(record.stack_info) if record.stack_info else ""
    return "\n".join(filter(None, (error, stack)))


def clean(text: str) -> str:
    """The same without secrets. Ids of requests stay: they are there to be looked for."""
    text = ours().sub(GONE, text)
    text = IN_URL.sub(rf"\1:{GONE}@", text)
    text = NAMED.sub(rf"\1\2{GONE}", text)
    pieces = REQUEST_ID.split(text)
    pieces[::2] = map(_redaction.of_text, pieces[::2])
    return "".join(pieces)


@cache
def ours() -> re.Pattern[str]:
    """The secrets of this instance; the longest first, for one may begin with another."""
    found = sorted({secret for secret in secrets() if len(secret) >= SHORTEST}, key=len)
    return re.compile("|".join(map(re.escape, reversed(found))) or r"(?!)")


def secrets() -> Iterator[str]:
    yield from (settings.INSTANCE.secret(name) for name in SECRETS)
    yield from (value for name, value in os.environ.items() if CREDENTIAL.search(name))
    yield from (settings.STRIPE.secret_key, settings.STRIPE.webhook_secret)
    yield from (settings.METRICS_TOKEN, settings.EMAIL_HOST_PASSWORD, settings.ARCHIVE_SECRET_KEY)
    for url in (settings.INSTANCE.database_url, settings.REDIS_URL):
        password = urlsplit(url).password or ""
        yield from (password, unquote(password))
