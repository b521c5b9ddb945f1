"""How a receiver knows that a webhook is ours, unchanged, and new.

Two schemes side by side: the header of the seed (keyplex, lines 458-469), an HMAC-SHA256 of the
body under the secret as it was shown, and those of Standard Webhooks 1.0, which cover the id of
the event and the moment of the attempt too and name one signature for each secret that is valid.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def generate_secret() -> str:
    """256 random bits, as Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(event_id: str, timestamp: int, body: bytes, valid: Sequence[str]) -> dict[str, str]:
    """What goes beside ``body``, signed with every ``valid`` secret, the newest first.

    The header of the seed has room for one signature; while there is an older secret, its own is
    beside it.
    """
    plain = [plain_signature(body, secret) for secret in valid]
    return {
        **dict(zip(("X-Keyplex-Signature", "X-Keyplex-Signature-Previous"), plain, strict=False)),
        "X-Keyplex-Event-Id": event_id,
        "X-Keyplex-Timestamp": str(timestamp),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            standard_signature(event_id, timestamp, body, secret) for secret in valid
        ),
    }


def plain_signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard_signature(event_id: str, timestamp: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b"%b.%d.%b" % (event_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
