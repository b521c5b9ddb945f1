"""How many keys an account has, as people count them."""

from collections.abc import Iterable
from typing import NamedTuple

from accounts.models import Account, APIKey


class KeyCount(NamedTuple):
    usable: int
    all: int


def count(account: Account, api_keys: Iterable[APIKey]) -> KeyCount:
    """What was revoked is gone, and the key of the playground is nobody's to use."""
    there = [key for key in api_keys if not (key.revoked_at or key.playground)]
    stopped = account.frozen_at or account.suspended_at
    return KeyCount(0 if stopped else sum(key.state == "active" for key in there), len(there))
