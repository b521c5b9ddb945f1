"""The gateway's real collaborators, and their life from start-up to shutdown."""

import asyncio
from dataclasses import dataclass

from django.conf import settings

from gateway.asgi import Gateway
from gateway.auth import Callers
from gateway.catalog import Catalog
from gateway.limits import Limiter
from gateway.redis_link import RedisLink
from gateway.upstream import Upstream
from usage.journal import Journal


@dataclass
class Running:
    """A gateway and what keeps it going; ``stop`` leaves nothing unwritten."""

    gateway: Gateway
    link: RedisLink
    tasks: list[asyncio.Task[None]]

    @classmethod
    async def start(cls) -> "Running":
        link = RedisLink(settings.REDIS_URL)
        gateway = Gateway(
            callers=Callers(),
            catalog=Catalog(),
            limiter=Limiter(link),
            journal=Journal(settings.JOURNAL_DIR),
            upstream=Upstream(),
        )
        tasks = [
            asyncio.create_task(gateway.catalog.keep_fresh()),
            asyncio.create_task(gateway.journal.flush_loop()),
        ]
        return cls(gateway, link, tasks)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.wait([asyncio.create_task(self.gateway.limiter.settled())], timeout=2)
        await self.gateway.upstream.close()
        await self.link.close()
        self.gateway.journal.close()
