"""Whether a webhook comes from Keyplex, unchanged and just now; and what it tells.

Verify the bytes that came, before anything parses them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping

from openai import InvalidWebhookSignatureError

from keyplex.types import Event

PREFIX = "whsec_"
TOLERANCE = 5 * 60  # seconds


def verify(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance: float = TOLERANCE
) -> Event:
    """The event, if one signature in ``webhook-signature`` is right and made just now.

    It covers the id of the event and the moment too. After a rotation either secret is fine for
    24 hours. Raises InvalidWebhookSignatureError; ValueError for what is no secret at all.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 15):
        raise InvalidWebhookSignatureError("There is no webhook-timestamp in Unix seconds.")
    signed = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    if not any(same(expected, one) for one in given.get("webhook-signature", "").split(" ")):
        raise InvalidWebhookSignatureError("No signature in webhook-signature fits this secret.")
    if abs(time.time() - int(timestamp)) > tolerance:
        raise InvalidWebhookSignatureError("The webhook was not signed just now.")
    return event_of(body)


def verify_body(body: bytes, headers: Mapping[str, str], secret: str) -> Event:
    """The event, if ``X-Keyplex-Signature`` is right: for what lets no other header through.

    It covers the body alone, so whoever has recorded a request can send it again at any time:
    remember the ids of the events that you took. Raises as ``verify`` does.
    """
    key_of(secret)
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = {name.lower(): value for name, value in headers.items()}
    names = ("x-keyplex-signature", "x-keyplex-signature-previous")
    if not any(same(expected, given.get(name, "")) for name in names):
        raise InvalidWebhookSignatureError("X-Keyplex-Signature does not fit this secret.")
    return event_of(body)


def key_of(secret: str) -> bytes:
    """Raises ValueError: with an empty key, anybody could sign."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not key or not secret.startswith(PREFIX):
        raise ValueError(f"The secret of a webhook is {PREFIX} and a text in base 64.")
    return key


def same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def event_of(body: bytes) -> Event:
    return Event.construct(**json.loads(body))
