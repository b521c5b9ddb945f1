"""Who is the same person, what is the same network, and which address wants a second look.

Of a person and a network we keep a digest alone. Its key is the one that hides the names of end
users: it is never read from outside and never changes, while a new ``SECRET_KEY``, which ends every
session, would make a newcomer of everybody.
"""

import hmac
import re
from ipaddress import ip_network

import idna
from disposable_email_domains import blocklist
from django.conf import settings

from accounts import origin

GOOGLE = frozenset({"gmail.com", "googlemail.com"})
PREFIXES = {4: 24, 6: 64}  # bits that are the same for all who share a line


def person(email: str) -> str:
    """The same for every address that reaches the mailbox of ``email``."""
    return _digest("person", mailbox(email))


def network(ip: str) -> str:
    """The same for addresses that one line may have; empty of what is no address."""
    address = origin.parsed(ip.partition("%")[0])
    if address is None:
        return ""
    return _digest("network", str(ip_network((address, PREFIXES[address.version]), strict=False)))


def mailbox(email: str) -> str:
    """The plainest address of a mailbox: without case, tags, quotes, and the dots Gmail ignores.

    >>> mailbox('"J.Doe+news"@GoogleMail.com'), mailbox("Info@Bücher.example")
    ('jdoe@gmail.com', 'info@xn--bcher-kva.example')
    """
    local, _, domain = email.strip().rpartition("@")
    if local.startswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    local, domain = local.lower(), domain_of(email)
    local = local.partition("+")[0] or local
    if domain in GOOGLE:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def is_disposable(email: str) -> bool:
    """Whether the address is of those that are thrown away, or below the domain of such."""
    labels = domain_of(email).split(".")
    return any(".".join(labels[first:]) in blocklist for first in range(len(labels)))


def domain_of(email: str) -> str:
    """In ASCII and small letters, as far as it is the name of a host."""
    domain = email.strip().rpartition("@")[2].lower().rstrip(".")
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain


def _digest(kind: str, text: str) -> str:
    words = f"trial {kind} {text}".encode(errors="surrogatepass")
    return hmac.digest(settings.END_USER_KEY.encode(), words, "sha256").hex()
