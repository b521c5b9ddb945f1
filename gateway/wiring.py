"""The gateway's real collaborators, and their life from start-up to shutdown."""

import asyncio
import logging
from dataclasses import dataclass

from django.conf import settings

from gateway import tracing
from gateway.asgi import Gateway
from gateway.auth import Callers
from gateway.breakers import Breakers
from gateway.captures import Captures
from gateway.catalog import Catalog
from gateway.cuts import Cuts
from gateway.guesses import Guesses
from gateway.heartbeat import Heartbeat
from gateway.last_seen import LastSeen
from gateway.limits import Limiter
from gateway.pulse import Pulse
from gateway.redis_link import RedisLink
from gateway.routing import RetryBudget
from gateway.standby import Standby
from gateway.upstream import Upstream
from usage.journal import Journal

log = logging.getLogger(__name__)
GUESSES, REPORTS = 60, 20  # different ones from one address in a minute


@dataclass
class Running:
    """A gateway and what keeps it going; ``stop`` leaves nothing unwritten."""

    gateway: Gateway
    link: RedisLink
    tasks: list[asyncio.Task[None]]

    @classmethod
    async def start(cls) -> "Running":
        link = RedisLink(settings.REDIS_URL)
        journal, upstream = Journal(settings.JOURNAL_DIR), Upstream()
        gateway = Gateway(
            callers=Callers(Guesses(link, "keys", GUESSES, "wrong keys")),
            reports=Guesses(link, "reports", REPORTS, "reports"),
            catalog=Catalog(shut=upstream.shut),
            limiter=Limiter(link, standby()),
            journal=journal,
            upstream=upstream,
            breakers=Breakers(link),
            heartbeat=Heartbeat(),
            retries=RetryBudget(),
            pulse=Pulse(link, upstream),
            captures=Captures(journal),
            spans=tracing.start(),
        )
        tasks = [
            asyncio.create_task(gateway.catalog.keep_fresh()),
            asyncio.create_task(gateway.journal.flush_loop()),
            asyncio.create_task(gateway.breakers.keep_fresh()),
            asyncio.create_task(gateway.pulse.keep_telling()),
            asyncio.create_task(gateway.heartbeat.keep_beating()),
            asyncio.create_task(Cuts(gateway.heartbeat).keep_looking()),
        ]
        return cls(gateway, link, tasks)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.wait([asyncio.create_task(self.gateway.limiter.settled())], timeout=2)
        await self.gateway.captures.written()
        await self.gateway.pulse.tell()
        await self.gateway.upstream.close()
        if self.gateway.spans:
            await self.gateway.spans.stop()
        self.gateway.limiter.close()
        await self.link.close()
        self.gateway.journal.close()


def standby() -> Standby | None:
    """What decides while Redis is away; None if this host cannot remember what it saw."""
    try:
        return Standby(LastSeen(settings.INSTANCE.data / "limits"), settings.GATEWAY_HOSTS)
    except OSError as error:
        log.error("without Redis nothing will be served: %s", error)
        return None
