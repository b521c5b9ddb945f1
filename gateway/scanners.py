"""Who looks for leaked keys in public code, and signs what they report.

GitHub's secret scanning and those who do as it does sign the raw body with ECDSA over P-256 and
SHA-256. Their public keys are in a file of the operator, in the form in which GitHub publishes
them; nothing is fetched.
"""

import base64
import binascii
import json
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Unsigned(Exception):
    """Nobody that we know has signed this."""


def verify(file: Path, identifier: str, signature: str, body: bytes) -> None:
    """Raises Unsigned unless the key with this identifier has signed the very bytes."""
    try:
        key(file, identifier).verify(
            base64.b64decode(signature, validate=True), body, ec.ECDSA(hashes.SHA256())
        )
    except (InvalidSignature, binascii.Error) as error:
        raise Unsigned("The signature does not match the body.") from error


def key(file: Path, identifier: str) -> ec.EllipticCurvePublicKey:
    """Raises Unsigned where there is no such key."""
    try:
        listed = json.loads(file.read_text())["public_keys"]
        pem = {entry["key_identifier"]: entry["key"] for entry in listed}[identifier]
        found = serialization.load_pem_public_key(pem.encode())
    except (OSError, ValueError, KeyError, TypeError, UnsupportedAlgorithm) as error:
        raise Unsigned("The key that signed this is not known here.") from error
    if not isinstance(found, ec.EllipticCurvePublicKey) or found.curve.name != "secp256r1":
        raise Unsigned("The key that signed this is of another kind than P-256.")
    return found
