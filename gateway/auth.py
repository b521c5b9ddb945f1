"""Who is calling: an API key becomes a Caller, from memory where it can.

A snapshot that is older than ``FRESH`` is looked up again before it is used; while PostgreSQL is
away it serves for up to ``BEARABLE`` seconds. In between, the epoch that Redis compares on every
admission makes revocation immediate. That a key may be used again shows within ``BARRED_FRESH``.
The same digest is looked up once at a time.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import ParamSpec
from urllib.parse import unquote_to_bytes

from django.conf import settings

from accounts import keys
from accounts.audit import Actor
from accounts.models import APIKey
from gateway import database
from gateway.caller import Caller, UnknownKey, look_up
from gateway.errors import APIError, NotAuthenticated, Unavailable
from gateway.guesses import Guesses

P = ParamSpec("P")
FRESH = 5.0
BARRED_FRESH = 0.5  # no epoch tells of a key that may be used again, for it never gets that far
BEARABLE = 60.0
REMEMBERED = 50_000  # snapshots, the oldest go first
CARRIERS = (b"authorization", b"x-api-key", b"api-key")
PREFIXES = "|".join(settings.PRODUCT.prefixes).encode()
KEY = re.compile(rb"(%b)[0-9A-Za-z]{%d}" % (PREFIXES, keys.LENGTH))
HEADER = f"'Authorization: Bearer {settings.PRODUCT.key_prefix}…'"


class Callers:
    """The callers this process knows, by digest of their key."""

    def __init__(self, guesses: Guesses) -> None:
        self._guesses = guesses
        self._known: dict[bytes, Caller | APIError] = {}
        self._verified: dict[bytes, float] = {}
        self._lookups: dict[bytes, asyncio.Task[Caller | APIError]] = {}
        self._exposed: dict[bytes, None] = {}  # in an address, by digest
        self._background: set[asyncio.Task[None]] = set()

    async def authenticate(
        self, headers: Mapping[bytes, bytes], ip: str, vouched: bytes | None = None
    ) -> Caller:
        """The caller behind these headers, who may be barred.

        Where a page of ours has ``vouched`` for a digest, the headers are not asked. Raises
        NotAuthenticated, TooManyGuesses, Unavailable.
        """
        if vouched is not None:
            return await self._current(vouched, ip)
        plaintext = plaintext_of(headers)
        digest = keys.digest(plaintext)
        if digest not in self._known and (defect := keys.defect(plaintext)):
            raise NotAuthenticated(defect)
        return await self._current(digest, ip)

    async def _current(self, digest: bytes, ip: str) -> Caller:
        known = self._known.get(digest)
        age = time.monotonic() - self._verified.get(digest, 0.0)
        if known is None or age > fresh_for(known):
            if known is None:
                self._guesses.refuse(ip, spare=True)
            known = await self._verify(digest, known if age <= BEARABLE else None)
            if isinstance(known, UnknownKey):
                await self._suspect(known, digest, ip)
        if isinstance(known, APIError):
            if isinstance(known, UnknownKey):
                self._guesses.refuse(ip)  # nor is one that was spared told that it is wrong
            raise known.with_traceback(None)
        return known

    async def reload(
        self, headers: Mapping[bytes, bytes], ip: str, vouched: bytes | None = None
    ) -> Caller:
        """Forget what we know of this key and ask PostgreSQL."""
        self._verified.pop(vouched or keys.digest(plaintext_of(headers)), None)
        return await self.authenticate(headers, ip, vouched)

    async def expose(self, plaintext: str, ip: str) -> None:
        """A key came in an address: flag it, and raise NotAuthenticated. Raises TooManyGuesses."""
        digest = keys.digest(plaintext)
        if keys.defect(plaintext) is None and digest not in self._exposed:
            self._guesses.refuse(ip)
            await self._guesses.count(ip, digest)
            self._exposed[digest] = None
            if len(self._exposed) > REMEMBERED:
                del self._exposed[next(iter(self._exposed))]
            self._later(flag_exposed, plaintext, ip)
        raise NotAuthenticated(
            "An API key in the address is not secret any more: revoke it, and send its successor "
            f"as {HEADER}.",
            code="api_key_in_address",
        )

    async def _suspect(self, unknown: UnknownKey, digest: bytes, ip: str) -> None:
        """Count a guess; nobody waits for the alarm of a honey key, or would tell it by that."""
        if unknown.honey is not None:
            self._later(raise_alarm, unknown.honey, ip)
        await self._guesses.count(ip, digest)

    def _later(self, function: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Nobody waits for it."""
        task = asyncio.create_task(database.attempt(function, *args, **kwargs))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _verify(self, digest: bytes, fallback: Caller | APIError | None) -> Caller | APIError:
        lookup = self._lookups.get(digest)
        if lookup is None:
            lookup = asyncio.create_task(database.query(look_up, digest))
            self._lookups[digest] = lookup
            lookup.add_done_callback(lambda _: self._lookups.pop(digest, None))
        try:
            found = await asyncio.shield(lookup)
        except Unavailable:
            if fallback is None:
                raise
            return fallback
        self._remember(digest, found)
        return found

    def _remember(self, digest: bytes, found: Caller | APIError) -> None:
        self._known.pop(digest, None)
        self._known[digest] = found
        self._verified[digest] = time.monotonic()
        while len(self._known) > REMEMBERED:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._verified.pop(oldest, None)


def fresh_for(known: Caller | APIError) -> float:
    """How many seconds it may serve without another look."""
    return BARRED_FRESH if isinstance(known, Caller) and known.barred else FRESH


def plaintext_of(headers: Mapping[bytes, bytes]) -> str:
    """The key in ``Authorization: Bearer``, ``x-api-key`` or ``api-key``. Raises NotAuthenticated.

    Two keys are refused, not ranked: whoever checks one must not be passed by showing another.
    """
    found = [(name, headers[name]) for name in CARRIERS if headers.get(name)]
    if not found:
        raise NotAuthenticated(f"No API key given. Send it as {HEADER}.", code="missing_api_key")
    [(name, value), *others] = found
    if others or b"," in value:
        raise NotAuthenticated(
            f"More than one API key given. Send it once, as {HEADER}.", code="several_api_keys"
        )
    plaintext = value.decode("latin-1").strip()
    if name == b"authorization":
        scheme, _, plaintext = plaintext.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated("The Authorization header must begin with 'Bearer'.")
    return plaintext.strip()


def key_in(query: bytes) -> str | None:
    """A key in the address, which ends up in logs and histories."""
    found = KEY.search(unquote_to_bytes(query))
    return found[0].decode() if found else None


def flag_exposed(plaintext: str, ip: str) -> None:
    if api_key := APIKey.objects.select_related("account").find(plaintext):
        by = Actor("somebody", None, ip)
        api_key.report_leaked("in the address of a request", by=by, only_tell=True)


def raise_alarm(api_key_id: int, ip: str) -> None:
    APIKey.objects.select_related("account").get(pk=api_key_id).alarm(ip)
