"""Which addresses a name has: all of them, as DNS says now. Nothing is remembered, so that no
name is judged by one answer and reached by another.
"""

import time
from functools import cache, lru_cache
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from django.conf import settings

from webhooks.egress import Address, literal

PATIENCE = 5.0  # seconds for both kinds of address together
MOST = 100  # addresses of a name; no honest one has so many
PORT = 53


class Unresolved(Exception):
    """The name has no address, too many of them, or nobody says in time."""


def addresses_of(host: str, seconds: float = PATIENCE) -> list[Address]:
    """Every address of ``host``, IPv4 first. Takes ``seconds``, and never more than five.

    Raises Unresolved.
    """
    end = time.monotonic() + min(seconds, PATIENCE)
    found: list[Address] = []
    try:
        name = dns.name.from_text(f"{host}.")  # complete: no search list is tried
        for kind in ("A", "AAAA"):
            answer = resolver(settings.WEBHOOK_DNS).resolve(
                name, kind, raise_on_no_answer=False, lifetime=end - time.monotonic()
            )
            found += filter(None, (literal(record.address) for record in answer.rrset or ()))
    except dns.exception.DNSException as error:
        raise Unresolved(host) from error
    if not 0 < len(found) <= MOST:
        raise Unresolved(host)
    return found


def own_addresses() -> frozenset[Address]:
    """Where the world finds this platform by its name, as known for a minute."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return frozenset() if literal(host) else _looked_up(host, int(time.monotonic() // 60))


@lru_cache(maxsize=1)
def _looked_up(host: str, minute: int) -> frozenset[Address]:
    try:
        return frozenset(addresses_of(host, 1))
    except Unresolved:  # as in a house with names of its own: then nobody else's lead here either
        return frozenset()


@cache
def resolver(servers: tuple[str, ...]) -> dns.resolver.Resolver:
    """Asks these servers, each an ``address:port``, or those of the system. Raises DNSException."""
    if not servers:
        return dns.resolver.Resolver()
    found = dns.resolver.Resolver(configure=False)
    for server in servers:
        parts = urlsplit(f"//{server}")
        address = dns.nameserver.Do53Nameserver(parts.hostname or "", parts.port or PORT)
        found.nameservers = [*found.nameservers, address]
    return found
