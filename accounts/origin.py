"""Where a request comes from: its peer, or what a proxy that we trust says of it."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def networks(text: str) -> Networks:
    """The ranges of a setting, with commas between. Raises ValueError."""
    parts = (part.strip() for part in text.split(","))
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts if part)


def origin(peer: str, forwarded: str, trusted: Networks) -> str:
    """The last address that no proxy of ours has vouched for: whatever stands left of it in
    ``X-Forwarded-For`` was written by whoever sent the request.

    >>> origin("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", networks("10.0.0.0/8"))
    '203.0.113.9'
    >>> origin("203.0.113.9", "10.9.9.9", networks("10.0.0.0/8"))
    '203.0.113.9'
    """
    found = peer
    for hop in reversed(forwarded.split(",")):
        if not within(found, trusted):
            return found
        claimed = parsed(without_port(hop.strip()))
        if claimed is None:
            return found
        found = str(claimed)
    return found


def parsed(text: str) -> Address | None:
    """An address; one of IPv4 also where IPv6 carries it. None if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def within(text: str, ranges: Networks) -> bool:
    """Whether this is an address in one of the ranges."""
    address = parsed(text)
    return address is not None and any(address in one for one in ranges)


def without_port(hop: str) -> str:
    """Some proxies write ``203.0.113.9:4711`` or ``[2001:db8::1]:4711``."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
