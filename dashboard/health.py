"""Is this process alive (/healthz), and can it serve (/readyz)?"""

from django.conf import settings
from django.db import connection

from gateway import database
from gateway.call import JSON, Call, Receive, Scope, Send
from gateway.errors import Unavailable
from gateway.redis_link import RedisLink, RedisUnavailable


async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
    """200 as long as the process answers at all."""
    await Call(scope, receive, send).answer(200, b'{"status":"ok"}', JSON)


async def readyz(scope: Scope, receive: Receive, send: Send) -> None:
    """200 when PostgreSQL and Redis answer, else 503 with the name of what is missing."""
    call = Call(scope, receive, send)
    missing = [name for name, check in CHECKS.items() if not await check()]
    if missing:
        body = b'{"status":"unavailable","missing":"%s"}' % ", ".join(missing).encode()
        await call.answer(503, body, [*JSON, (b"retry-after", b"1")])
    else:
        await call.answer(200, b'{"status":"ok"}', JSON)


def select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def postgresql() -> bool:
    try:
        await database.query(select_one)
    except Unavailable:
        return False
    return True


async def redis() -> bool:
    link = RedisLink(settings.REDIS_URL)
    try:
        await link.command("PING")
    except RedisUnavailable:
        return False
    finally:
        await link.close()
    return True


CHECKS = {"PostgreSQL": postgresql, "Redis": redis}
