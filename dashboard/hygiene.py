"""Which keys should be looked at: never used, long unused, allowed too much, about to expire."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import APIKey
from accounts.scopes import Scope

NEW = timedelta(days=7)
UNUSED = timedelta(days=30)
SOON = timedelta(days=7)
ENOUGH = 100  # requests that show what a key is for
NEEDS = {
    "chat/completions": Scope.CHAT_WRITE,
    "completions": Scope.COMPLETIONS_WRITE,
    "embeddings": Scope.EMBEDDINGS_WRITE,
}


@dataclass(frozen=True, slots=True)
class Hint:
    """One key, and the one thing about it that matters most."""

    api_key: APIKey
    word: str
    text: str
    tone: str = "warn"


def hints(
    api_keys: Iterable[APIKey], calls: Mapping[int, Counter[str]], now: datetime
) -> list[Hint]:
    """``calls`` says how often each key was lately used for each endpoint."""
    found = (_hint(api_key, calls.get(api_key.pk, Counter()), now) for api_key in api_keys)
    return [hint for hint in found if hint]


def _hint(api_key: APIKey, calls: Counter[str], now: datetime) -> Hint | None:
    if api_key.state != "active":
        return None
    if api_key.expires_at and api_key.expires_at - now < SOON:
        return Hint(
            api_key, "expires soon", f"expires on {api_key.expires_at:%-d %B, %H:%M} UTC", "bad"
        )
    if api_key.last_used_at is None:
        days = (now - api_key.created_at).days
        text = f"was never used in {days} days"
        return Hint(api_key, "never used", text) if days >= NEW.days else None
    if now - api_key.last_used_at >= UNUSED:
        return Hint(api_key, "unused", f"was not used for {(now - api_key.last_used_at).days} days")
    return _broad(api_key, calls, now)


def _broad(api_key: APIKey, calls: Counter[str], now: datetime) -> Hint | None:
    """A key that may do everything and does one thing, for as long as shows that it stays so."""
    used = calls.keys() & NEEDS.keys()
    settled = now - api_key.created_at >= NEW and calls.total() >= ENOUGH
    if settled and set(Scope.values) <= set(api_key.scopes) and len(used) == 1:
        [endpoint] = used
        return Hint(api_key, "broad", f"may do everything and needs only {NEEDS[endpoint]}", "")
    return None
