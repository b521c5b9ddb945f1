"""Secrets of endpoints leave the database sealed only, under a key that serves nothing else."""

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def seal(secret: str) -> str:
    return _fernet().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises ``cryptography.fernet.InvalidToken`` where the key is another one."""
    return _fernet().decrypt(sealed).decode()


def _fernet() -> Fernet:
    key = hashlib.sha256(settings.WEBHOOK_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
