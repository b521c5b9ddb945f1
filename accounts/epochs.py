"""Tell every gateway process that what an account may do has changed.

The gateway keeps what it knows of a caller in memory and compares its epoch with the one in
Redis on every request. Publishing may fail while Redis is away: a snapshot then still dies of
age within seconds, and carries the newer epoch back to Redis (``gateway/admission.lua``).
"""

import logging

import redis
from django.conf import settings

log = logging.getLogger(__name__)
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
_raise = _client.register_script(
    """
    if tonumber(redis.call('HGET', KEYS[1], 'epoch') or 0) < tonumber(ARGV[1]) then
        redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
    end
    """
)


def key(account_pk: int) -> str:
    """The Redis hash of an account; the braces keep all its keys in one cluster slot."""
    return f"kpx:{{{account_pk}}}"


def publish(account_pk: int, epoch: int) -> None:
    """Raise the epoch in Redis, never lower it. A failure is logged, not raised."""
    try:
        _raise(keys=[key(account_pk)], args=[epoch])
    except redis.RedisError as error:
        log.warning("epoch of account %s not published: %s", account_pk, error)
