"""Credentials of providers lie in the database sealed only, each under a key of its provider's own.

So a sealed credential that is copied into the row of another provider, who could then read it from
our requests, cannot be opened there.
"""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


def seal(credential: str, provider_pk: int) -> str:
    return _fernet(provider_pk).encrypt(credential.encode()).decode()


def unseal(sealed: str, provider_pk: int) -> str | None:
    """None where it was sealed under another key, or for another provider."""
    try:
        return _fernet(provider_pk).decrypt(sealed).decode()
    except InvalidToken:
        return None


def _fernet(provider_pk: int) -> Fernet:
    key = hmac.digest(settings.PROVIDER_KEY.encode(), b"provider %d" % provider_pk, "sha256")
    return Fernet(base64.urlsafe_b64encode(key))
