"""What a key may be told to do: where it may be used, from where, and why it ended."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.db import models

from accounts.audit import Detail

ONLY_WORDS = {"name", "environment"}  # settings that allow and forbid nothing
ENVIRONMENTS = ("development", "staging", "production")  # suggested; any other word will do


class Endpoint(models.TextChoices):
    """Addresses under ``/v1`` that an allow-list can name; ``key`` and ``limits`` always answer."""

    CHAT_COMPLETIONS = "chat/completions"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MODELS = "models"
    USAGE = "usage"
    EXPLAIN = "explain"
    EVENTS = "events"


class Reason(models.TextChoices):
    """Why a key was revoked."""

    USER = "user", "No longer needed"
    ROTATION = "rotation", "Replaced by another key"
    COMPROMISED = "compromised", "It may be in wrong hands"
    LEAK = "leak", "Reported as leaked"
    OPERATOR = "operator", "By the operator"


CUTTING = frozenset({Reason.COMPROMISED, Reason.LEAK})  # what runs with such a key is cut off


class Capture(models.TextChoices):
    """Of which calls the request and the answer are kept."""

    OFF = "off", "Nothing"
    ERRORS = "errors", "Only calls that were refused or failed"
    SAMPLED = "sampled", "A sample"
    ALL = "all", "Everything"


class LeakPolicy(models.TextChoices):
    """What happens to a key that somebody reports as leaked."""

    REVOKE = "revoke", "Revoke it at once and tell us"
    TELL = "tell", "Only tell us"


class Settings(TypedDict, total=False):
    """What can be chosen for a key and changed later. An empty list allows everything."""

    name: str
    environment: str
    scopes: list[str]
    allowed_models: list[str]
    allowed_endpoints: list[str]
    allowed_networks: list[str]
    expires_at: datetime | None


def on_record(chosen: Mapping[str, Any]) -> dict[str, Detail]:
    """Settings of a key as the audit log takes them; what was not chosen is not told."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in chosen.items()
        if name != "name"
    }


def network(text: str) -> str:
    """An address or a CIDR range as we keep it. Raises ValidationError.

    >>> network("10.1.2.3/8"), network("2001:db8::1")
    ('10.0.0.0/8', '2001:db8::1/128')
    """
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise ValidationError(f"{text.strip()[:50]!r} is no IP address or range.") from error
