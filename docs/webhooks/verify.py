import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE = 5 * 60  # seconds


def verify_webhook(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether X-Keyplex-Signature, or X-Keyplex-Signature-Previous, is right for this body."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").encode())


def verify_standard(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Whether one signature in webhook-signature is right, and made within five minutes."""
    event_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 15):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, one.encode()) for one in given)
