"""Is this process alive (/healthz), and can it serve (/readyz)?"""

import asyncio
import json

from django.conf import settings
from django.db import connection

from dashboard.inner_call import GATEWAY
from gateway import database
from gateway.asgi import Gateway
from gateway.call import JSON, Call, Receive, Scope, Send
from gateway.errors import Unavailable
from gateway.redis_link import RedisLink, RedisUnavailable
from usage.journal import JournalUnavailable, check_writable

OK = b'{"status":"ok"}'
REASONS = {
    "postgresql": "PostgreSQL does not answer.",
    "redis": "Redis does not answer.",
    "journal": "The usage journal cannot be written: is the disk full?",
    "catalogue": "The catalogue is not loaded yet.",
}


async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
    """200 as long as the process answers at all; it asks nobody and touches nothing."""
    await Call(scope, receive, send).answer(200, OK)


async def readyz(scope: Scope, receive: Receive, send: Send) -> None:
    """200 where a call could be served, admitted and recorded, else 503 with what is missing."""
    call = Call(scope, receive, send)
    missing = await missing_for(scope.get(GATEWAY))
    if missing:
        said = {"status": "unavailable", "missing": list(missing), "reasons": missing}
        await call.answer(503, json.dumps(said).encode(), [*JSON, (b"retry-after", b"1")])
    else:
        await call.answer(200, OK)


async def missing_for(gateway: Gateway | None) -> dict[str, str]:
    """Why it cannot serve, by the name of what is missing."""
    found = await asyncio.gather(postgresql(), redis(), journal())
    there = dict(zip(("postgresql", "redis", "journal"), found, strict=True))
    there["catalogue"] = gateway is not None and gateway.catalog.version >= 0
    return {name: reason for name, reason in REASONS.items() if not there[name]}


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


async def journal() -> bool:
    """In a thread: a disk may be slow."""
    try:
        await asyncio.to_thread(check_writable, settings.JOURNAL_DIR)
    except JournalUnavailable:
        return False
    return True
