"""Who is calling: an API key becomes a Caller, from memory where it can.

A snapshot that is older than ``FRESH`` is looked up again before it is used; while PostgreSQL is
away it serves for up to ``BEARABLE`` seconds. In between, the epoch that Redis compares on every
admission makes revocation immediate. The same digest is looked up once at a time.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from accounts import keys
from accounts.models import APIKey
from gateway import database
from gateway.decisions import Policy
from gateway.errors import APIError, NotAuthenticated, NotPermitted, Unavailable

FRESH = 5.0
BEARABLE = 60.0
REMEMBERED = 50_000  # snapshots, the oldest go first


@dataclass(frozen=True, slots=True)
class Caller:
    """What one key may do, as PostgreSQL knew it at ``verified_at`` (monotonic seconds)."""

    account_id: int
    api_key_id: int
    epoch: int
    scopes: frozenset[str]
    policy: Policy
    retention_class: str
    verified_at: float

    def require(self, scope: str) -> None:
        """Raise NotPermitted unless the key carries ``scope``."""
        if scope not in self.scopes:
            raise NotPermitted(f"This API key lacks the permission {scope}.")


class Callers:
    """The callers this process knows, by digest of their key."""

    def __init__(self) -> None:
        self._known: dict[bytes, Caller | APIError] = {}
        self._verified: dict[bytes, float] = {}
        self._lookups: dict[bytes, asyncio.Task[Caller | APIError]] = {}

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Caller:
        """The caller behind these headers. Raises NotAuthenticated, NotPermitted, Unavailable."""
        plaintext = plaintext_of(headers)
        digest = keys.digest(plaintext)
        known = self._known.get(digest)
        age = time.monotonic() - self._verified.get(digest, 0.0)
        if known is None and (defect := keys.defect(plaintext)):
            raise NotAuthenticated(defect)
        if known is None or age > FRESH:
            known = await self._verify(digest, known if age <= BEARABLE else None)
        if isinstance(known, APIError):
            raise known.with_traceback(None)
        return known

    async def reload(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Forget what we know of this key and ask PostgreSQL."""
        self._verified.pop(keys.digest(plaintext_of(headers)), None)
        return await self.authenticate(headers)

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


def plaintext_of(headers: Mapping[bytes, bytes]) -> str:
    """What ``Authorization: Bearer`` says. Raises NotAuthenticated where it says nothing."""
    header = headers.get(b"authorization", b"").decode("latin-1")
    scheme, _, plaintext = header.strip().partition(" ")
    if not header:
        raise NotAuthenticated(
            "No API key given. Send it as 'Authorization: Bearer kpx_…'.", code="missing_api_key"
        )
    if scheme.lower() != "bearer":
        raise NotAuthenticated("The Authorization header must begin with 'Bearer'.")
    return plaintext.strip()


def look_up(digest: bytes) -> Caller | APIError:
    """The caller of this digest, or the refusal that anybody who sends the key must get."""
    api_key = (
        APIKey.objects.select_related("account__subscription__plan").filter(digest=digest).first()
    )
    if api_key is None:
        return NotAuthenticated("This API key does not exist.")
    if api_key.revoked_at:
        return NotAuthenticated("This API key has been revoked.", code="revoked_api_key")
    if not APIKey.objects.usable().filter(pk=api_key.pk).exists():
        return NotAuthenticated("This API key has expired.", code="expired_api_key")
    account = api_key.account
    if account.suspended_at:
        return NotPermitted("This account is suspended.", code="account_suspended")
    subscription = getattr(account, "subscription", None)
    if subscription is None:
        return NotPermitted("This account has no plan.", code="no_subscription")
    return Caller(
        account_id=account.pk,
        api_key_id=api_key.pk,
        epoch=account.epoch,
        scopes=frozenset(api_key.scopes),
        policy=Policy(subscription.limits),
        retention_class=subscription.plan.retention_class,
        verified_at=time.monotonic(),
    )
