"""Ends what runs with a key that turned out to be in wrong hands.

Admission stops such a key at once; this is for answers that are on their way already. Every
process asks PostgreSQL by itself, about the keys that it serves just now, so that no message has to
arrive for it, no call pays for it, and it works without Redis.
"""

import asyncio
import logging
from collections.abc import Collection

from accounts.key_rules import CUTTING
from accounts.models import APIKey
from gateway import database
from gateway.errors import NotAuthenticated, Unavailable
from gateway.heartbeat import Heartbeat

log = logging.getLogger(__name__)
LOOK_EVERY = 1.5  # seconds


class Cuts:
    """Looks at the keys of everything that runs, again and again."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat

    async def keep_looking(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except Unavailable:
                log.warning("nobody knows which keys are in wrong hands")

    async def look(self) -> None:
        """Raises Unavailable."""
        running = {call: call.meter.caller.api_key_id for call in self._heartbeat if call.meter}
        if not running:
            return
        cut = await database.query(in_wrong_hands, set(running.values()))
        for call, api_key_id in running.items():
            if api_key_id in cut:
                self._heartbeat.cut(call, revoked())


def revoked() -> NotAuthenticated:
    return NotAuthenticated(
        "This API key has been revoked while it was in use, for it may be in wrong hands.",
        code="key_revoked",
    )


def in_wrong_hands(api_key_ids: Collection[int]) -> set[int]:
    return set(
        APIKey.objects.filter(pk__in=api_key_ids, revoke_reason__in=CUTTING).values_list(
            "pk", flat=True
        )
    )
