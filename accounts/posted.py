"""What one process says and every process knows a few seconds later, without asking the database.

It is kept in Redis, and for some seconds in the memory of each process.
"""

from time import monotonic
from typing import Generic, TypeVar

from django.core.cache import cache
from redis import RedisError

Value = TypeVar("Value")
FRESH = 3  # seconds that a process trusts its memory


class Posted(Generic[Value]):
    """``nothing`` is what is known before anything was said, and while Redis is away."""

    def __init__(self, key: str, nothing: Value) -> None:
        self._key, self._nothing = key, nothing
        self._known, self._until = nothing, 0.0

    def put(self, value: Value) -> None:
        """Say it: known at once here, soon everywhere. Without Redis nobody else hears of it."""
        self._remember(value)
        try:
            cache.set(self._key, value, None)
        except RedisError:
            return  # whoever says it again every minute will be heard

    def read(self) -> Value:
        if monotonic() < self._until:
            return self._known
        try:
            value: Value = cache.get(self._key, self._nothing)
        except RedisError:
            value = self._nothing
        return self._remember(value)

    def _remember(self, value: Value) -> Value:
        self._known, self._until = value, monotonic() + FRESH
        return value
