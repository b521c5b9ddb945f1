"""Whose address counts: the peer's, or what a proxy of ours says; never what a client says."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from accounts.key_rules import network
from accounts.origin import networks, origin, within

OURS = networks("10.0.0.0/8, fd00::/8, 127.0.0.1")
NOBODY = networks("")
ours = st.ip_addresses(v=4, network="10.0.0.0/8").map(str)
plain = st.ip_addresses().map(lambda ip: str(getattr(ip, "ipv4_mapped", None) or ip))
strangers = plain.filter(lambda ip: not within(ip, OURS))
anything = st.lists(st.one_of(strangers, ours, st.text(max_size=20)), max_size=5).map(", ".join)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(strangers, anything)
def test_a_stranger_may_write_into_the_header_what_it_likes(peer: str, forged: str) -> None:
    assert origin(peer, forged, OURS) == peer
    assert origin(peer, forged, NOBODY) == peer


@given(anything, strangers, st.lists(ours, max_size=3), ours)
def test_the_last_address_before_our_proxies_counts(
    forged: str, client: str, hops: list[str], peer: str
) -> None:
    header = ", ".join([*([forged] if forged else []), client, *hops])

    assert origin(peer, header, OURS) == client


def test_a_port_and_an_address_of_the_other_family_are_understood() -> None:
    assert origin("127.0.0.1", "203.0.113.9:4711", OURS) == "203.0.113.9"
    assert origin("127.0.0.1", "[2001:db8::1]:4711", OURS) == "2001:db8::1"
    assert origin("::ffff:127.0.0.1", "203.0.113.9", OURS) == "203.0.113.9"
    assert origin("127.0.0.1", "unknown", OURS) == "127.0.0.1"
    assert origin("127.0.0.1", "", OURS) == "127.0.0.1"


@given(addresses, st.data())
def test_a_range_holds_just_the_addresses_whose_first_bits_are_its_own(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, data: st.DataObject
) -> None:
    bits = address.max_prefixlen
    length = data.draw(st.integers(0, bits))
    other = type(address)(data.draw(st.integers(0, 2**bits - 1)))
    kept = network(f"{address}/{length}")
    same = int(address) >> (bits - length) == int(other) >> (bits - length)
    plain = getattr(other, "ipv4_mapped", None) is None

    if plain:
        assert within(str(other), networks(kept)) is same
