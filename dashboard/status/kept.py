"""What the status page says is made once in some seconds, however many look at it."""

from collections.abc import Callable

from django.core.cache import cache
from redis import RedisError

FRESH = 10  # seconds
BOARD, JSON = "status:board", "status:json"


def kept(key: str, make: Callable[[], str]) -> str:
    """The text under ``key``, made anew when it is old, and each time while Redis is away."""
    try:
        text: str | None = cache.get(key)
    except RedisError:
        return make()
    if text is None:
        text = make()
        _keep(key, text)
    return text


def forget() -> None:
    """Something was published: whoever looks next sees it."""
    try:
        cache.delete_many([BOARD, JSON])
    except RedisError:
        return  # it is away, and so is what it kept


def _keep(key: str, text: str) -> None:
    try:
        cache.set(key, text, FRESH)
    except RedisError:
        return
