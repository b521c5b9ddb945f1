"""Where a URL of a user may lead: to public hosts on public addresses, and nowhere else.

``parse`` judges what can be seen in a URL, ``Target.permits`` each address behind it. Both hold
for anything that a user may have us connect to. The operator may open networks that are not
public (``WEBHOOK_ALLOWED_NETWORKS``); on an address in one of them, any port and plain HTTP are
fine.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, urlsplit

import idna
from django.conf import settings
from django.utils.http import is_same_domain

Address = IPv4Address | IPv6Address

LONGEST = 2000  # characters of a URL
PORTS = {"https": 443, "http": 80}
NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # as the last part of a host: no name, but an address
INSIDE = (  # domains of networks at home, of no network, and of any address that one likes
    *(
        "localhost",
        "localdomain",
        "local",
        "internal",
        "intranet",
        "private",
        "corp",
        "home",
        "lan",
    ),
    *("default", "svc", "home.arpa", "in-addr.arpa", "ip6.arpa", "onion"),
    *("test", "invalid", "example"),
    *("nip.io", "sslip.io", "xip.io", "traefik.me", "localtest.me", "lvh.me", "vcap.me"),
    "lacolhost.com",
)
PUBLIC_V6 = ip_network("2000::/3")
DENIED = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind the NAT of a provider
        "127.0.0.0/8",
        "168.63.129.16/32",  # the host of a virtual machine at Azure
        "169.254.0.0/16",  # link-local, and where clouds hand out credentials
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo and its like
        "2001:db8::/32",
        "2002::/16",  # 6to4: an address of IPv4 within
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]


class BadURL(ValueError):
    """A URL that we do not connect to. The text is a sentence for whoever typed it."""


@dataclass(frozen=True)
class Target:
    """What a URL says, taken apart once and for all."""

    scheme: str
    host: str  # ASCII; an address of IPv6 without brackets
    port: int
    path: str  # with the query
    address: Address | None  # if the host is one
    ordinary: bool  # False: good only for an address that the operator has opened

    @property
    def authority(self) -> str:
        """What the ``Host`` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def permits(self, address: Address) -> bool:
        """Whether this URL may lead to ``address``."""
        return opened(address) or (self.ordinary and allowed(address))


def parse(url: str) -> Target:
    """Take a URL apart that a user has set. Raises BadURL, unless it may lead to somewhere good."""
    parts = split(url)
    host = host_of(parts)
    address = literal(host)
    port = port_of(parts)
    path = quote(parts.path or "/", safe=string.punctuation)
    if parts.query:
        path += "?" + quote(parts.query, safe=string.punctuation)
    trouble = reason_against(parts.scheme, host, address, port)
    if trouble and not (opened(address) if address else settings.WEBHOOK_ALLOWED_NETWORKS):
        raise BadURL(trouble)
    return Target(parts.scheme, str(address or host), port, path, address, ordinary=not trouble)


def allowed(address: Address) -> bool:
    """Whether it is a public address that is not ours, or one that the operator has opened."""
    address = unmapped(address)
    return opened(address) or (is_public(address) and address not in map(literal, own_hosts()))


def opened(address: Address) -> bool:
    """Whether the operator has named a network with this address in it."""
    address = unmapped(address)
    return any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS)


def is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.scope_id or address not in PUBLIC_V6):
        return False
    return not any(address in network for network in DENIED)


def unmapped(address: Address) -> Address:
    """An address of IPv4 also where IPv6 carries it."""
    return getattr(address, "ipv4_mapped", None) or address


def literal(host: str) -> Address | None:
    """The address that a host is, if it is one in its usual form."""
    try:
        return unmapped(ip_address(host))
    except ValueError:
        return None


def own_hosts() -> Iterator[str]:
    """The names and addresses by which this platform is known; ``.example.com``: all below it."""
    yield urlsplit(settings.PUBLIC_URL).hostname or ""
    for host in settings.ALLOWED_HOSTS:
        yield host.strip("[]").lower()


def split(url: str) -> SplitResult:
    """Raises BadURL where two parsers might see two URLs."""
    if len(url) > LONGEST:
        raise BadURL(f"A URL has at most {LONGEST} characters.")
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise BadURL("A URL has no blanks, no control characters and no backslashes.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadURL("This is not a URL.") from None
    if parts.scheme not in PORTS or not parts.netloc:
        raise BadURL("The URL must begin with https:// and the name of a host.")
    if "@" in parts.netloc:
        raise BadURL("The URL must not carry a user name or a password.")
    if "#" in url:
        raise BadURL("The URL must not have a fragment.")
    return parts


def host_of(parts: SplitResult) -> str:
    """In ASCII. Raises BadURL."""
    host = parts.hostname or ""
    try:
        if not host.isascii():
            host = idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise BadURL("This is not the name of a host.") from None
    if "[" in parts.netloc or NUMBER.fullmatch(host.rpartition(".")[2]):
        if literal(host) is None or "%" in host:
            raise BadURL("This is not the usual form of an address.")
    elif not NAME.fullmatch(host):
        raise BadURL("This is not the name of a host.")
    return host


def port_of(parts: SplitResult) -> int:
    """Raises BadURL."""
    try:
        return PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        raise BadURL("A port is a number below 65536.") from None


def reason_against(scheme: str, host: str, address: Address | None, port: int) -> str:
    """Why this is not a public host that we would talk to; nothing if it is."""
    http = settings.WEBHOOK_ALLOW_HTTP
    ports = [443, 8443] + [80, 8080] * http
    if scheme == "http" and not http:
        return "The URL must begin with https://."
    if port not in ports:
        return f"The port must be one of {', '.join(map(str, sorted(ports)))}."
    if is_inside(host) if address is None else not allowed(address):
        return "This host cannot be reached from the internet."
    return ""


def is_inside(name: str) -> bool:
    """Whether a name is ours, or has no business outside a network."""
    patterns = [*own_hosts(), *(f".{domain}" for domain in INSIDE)]
    return "." not in name or any(is_same_domain(name, pattern) for pattern in patterns)
