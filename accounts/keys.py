"""What an API key looks like, and what we keep of it.

A key is the prefix of its product and 48 letters and digits: 42 random ones (250 bits) and a
checksum of six, so that a mistyped or cut-off key is told apart from an unknown one without a
look-up. Only the HMAC-SHA-256 under a server-side pepper is stored: a secret this long needs
neither salt nor a slow hash, a digest is found through an index on every request, and a stolen
database alone does not even allow a guess to be checked.
"""

import hmac
import re
import secrets
import string
import zlib

from django.conf import settings

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM, CHECKSUM = 42, 6
LENGTH = RANDOM + CHECKSUM
LETTERS_AND_DIGITS = re.compile("[0-9A-Za-z]*")


def generate() -> str:
    """A new key in plaintext, from the operating system's source of randomness."""
    start = settings.PRODUCT.key_prefix
    start += "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    return start + checksum(start)


def checksum(text: str) -> str:
    """CRC-32 of ``text`` in base 62, six characters."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM):
        number, remainder = divmod(number, len(ALPHABET))
        digits = ALPHABET[remainder] + digits
    return digits


def digest(plaintext: str) -> bytes:
    """What the database holds: 32 bytes that cannot be turned back."""
    return hmac.digest(settings.KEY_PEPPER.encode(), plaintext.encode(), "sha256")


def hint(plaintext: str) -> str:
    """Enough to recognise a key in a list, too little to use it."""
    return f"{plaintext[: -LENGTH + 4]}…{plaintext[-4:]}"


def without_keys(text: str) -> str:
    """What somebody wrote, without the keys in it."""
    prefixes = "|".join(map(re.escape, settings.PRODUCT.prefixes))
    return re.sub(f"({prefixes})[0-9A-Za-z]{{{LENGTH}}}", r"\1…", text)


def defect(plaintext: str) -> str | None:
    """What is wrong with the form of a key, in words for its owner; None if nothing is.

    >>> defect("sk-abc")
    'Keys of this service begin with kpx_.'
    >>> defect("kpx_" + "a" * 47)
    'The key looks truncated: 47 characters after kpx_ instead of 48.'
    """
    product = settings.PRODUCT
    prefix = next((known for known in product.prefixes if plaintext.startswith(known)), None)
    if prefix is None:
        return f"Keys of this service begin with {product.key_prefix}."
    body = plaintext[len(prefix) :]
    if not LETTERS_AND_DIGITS.fullmatch(body):
        return f"After {prefix} a key has only letters and digits."
    if len(body) != LENGTH:
        looks = "truncated" if len(body) < LENGTH else "too long"
        return f"The key looks {looks}: {len(body)} characters after {prefix} instead of {LENGTH}."
    if checksum(plaintext[:-CHECKSUM]) != body[-CHECKSUM:]:
        return "The key looks mistyped: its checksum does not match."
    return None
