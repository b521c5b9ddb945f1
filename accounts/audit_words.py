"""The details of an act on record as people read them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from accounts.audit_actions import Action

# What it means that nothing is said.
EMPTY = {
    "allowed_models": "any",
    "allowed_endpoints": "any",
    "allowed_networks": "any",
    "expires_at": "never",
}


def in_words(action: str, details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and words, by name. Of a new key only what somebody chose is told.

    >>> in_words("api_key.created", {"allowed_models": [], "scopes": ["chat:write"]})
    [('scopes', 'chat:write')]
    >>> in_words("api_key.changed", {"allowed_models": [], "expires_at": "2026-11-30T12:00+00:00"})
    [('allowed models', 'any'), ('expires at', '30 November 2026, 12:00 UTC')]
    """
    told = {
        name: value
        for name, value in sorted(details.items())
        if value not in ([], "", None, False) or action != Action.API_KEY_CREATED
    }
    return [(name.replace("_", " "), _words(name, value)) for name, value in told.items()]


def _words(name: str, value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return _moment(value) if value else EMPTY.get(name, "none")


def _moment(text: str) -> str:
    """A moment as we write it; what is none stays as it is."""
    try:
        moment = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        moment = None
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC" if moment else text
