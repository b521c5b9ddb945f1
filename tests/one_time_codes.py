"""What an authenticator app computes (RFC 6238), written down once more for the tests."""

import base64
import hashlib
import hmac
import struct
import time


def code_of(secret: str, *, steps: int = 0) -> str:
    """The six digits that ``secret`` shows for two seconds at least, or some steps later."""
    if time.time() % 30 > 28:
        time.sleep(2)
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    mac = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06}"
