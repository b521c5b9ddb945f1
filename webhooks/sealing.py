"""Secrets of endpoints leave the database sealed only, under a key that serves nothing else."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


def seal(secret: str) -> str:
    return _fernet().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str | None:
    """None where it was sealed under another key."""
    try:
        return _fernet().decrypt(sealed).decode()
    except InvalidToken:
        return None


def _fernet() -> Fernet:
    key = hashlib.sha256(settings.WEBHOOK_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
