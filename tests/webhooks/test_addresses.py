"""A URL of a user leads outside or nowhere, whatever it is made of."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.webhooks.addresses import (
    GOOD_URLS,
    HOSTS,
    PRIVATE_V4,
    PRIVATE_V6,
    PUBLIC,
    URLS,
)
from tests.webhooks.name_server import NameServer
from webhooks.dialing import Trouble
from webhooks.egress import BadURL, allowed, parse
from webhooks.posting import post

CORPUS = [f"https://{host}/" for host in HOSTS] + URLS


@pytest.fixture
def names(settings: Settings) -> Iterator[NameServer]:
    with NameServer() as server:
        settings.WEBHOOK_DNS = (server.address,)
        yield server


def test_the_corpus_is_as_large_as_we_say() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 300
    assert len(set(PUBLIC)) == len(PUBLIC) >= 50


def refusal(url: str) -> str:
    """The sentence for whoever sets it; nothing if they may."""
    try:
        parse(url)
    except BadURL as bad:
        return str(bad)
    return ""


def test_what_leads_inside_can_neither_be_set_nor_sent_to(names: NameServer) -> None:
    set_well = [url for url in CORPUS if not refusal(url).endswith(".")]
    sent = [url for url in CORPUS if post(url, b"{}", {}).error != Trouble.NOT_PUBLIC]

    assert not set_well
    assert not sent
    assert not names.asked


def test_permission_for_http_opens_nothing_else(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True

    set_well = [host for host in HOSTS if not refusal(f"http://{host}/")]
    set_well += [host for host in HOSTS if not refusal(f"http://{host}:8080/")]

    assert not set_well


@pytest.mark.parametrize("address", [*PRIVATE_V4, *PRIVATE_V6])
def test_a_good_name_of_a_private_address_is_not_sent_to(address: str, names: NameServer) -> None:
    names.zone["hooks.ok.com"] = {"AAAA" if ":" in address else "A": [address]}

    reply = post("https://hooks.ok.com/", b"{}", {})

    assert (reply.status, reply.error) == (None, Trouble.NOT_PUBLIC)
    assert names.asked == ["A", "AAAA"]


def test_public_addresses_are_allowed_however_near_to_private_ones() -> None:
    private = [*PRIVATE_V4, *PRIVATE_V6, "fe80::1%eth0", "2600:1f18::1%1"]

    assert not [address for address in private if allowed(ip_address(address))]
    assert not [address for address in PUBLIC if not allowed(ip_address(address))]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_can_be_set(address: str) -> None:
    target = parse(f"https://[{address}]/" if ":" in address else f"https://{address}/")

    assert target.address
    assert target.permits(target.address)


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_good_url_is_taken_apart(url: str) -> None:
    target = parse(url)

    assert target.ordinary
    assert target.host.isascii()
    assert target.path.isascii()
    assert target.path.startswith("/")


@given(
    st.text()
    | st.text().map("https://{}/".format)
    | st.text("/\\\\:@#?[]%.019aAxß。①", max_size=20)
)
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_url_or_a_reason(text: str) -> None:
    for url in (text, f"https://{text}", f"https://ok.com/{text}", f"https://ok.com{text}"):
        if not refusal(url):
            target = parse(url)
            again = parse(f"{target.scheme}://{target.authority}{target.path}")
            assert again == target
            assert f"{target.authority}{target.path}".isascii()


def test_a_url_is_made_ascii_and_keeps_its_query() -> None:
    target = parse("https://Bücher.de:8443/ü?q=ß")

    assert (target.host, target.authority) == ("xn--bcher-kva.de", "xn--bcher-kva.de:8443")
    assert target.path == "/%C3%BC?q=%C3%9F"
    assert parse("https://[2606:4700::1]/").authority == "[2606:4700::1]"


def test_http_and_its_ports_are_for_the_operator_to_allow(settings: Settings) -> None:
    urls = ["http://ok.com/", "http://ok.com:8080/", "https://ok.com:80/", "http://ok.com:443/"]
    for url in urls:
        with pytest.raises(BadURL):
            parse(url)

    settings.WEBHOOK_ALLOW_HTTP = True

    assert [parse(url).port for url in urls] == [80, 8080, 80, 443]
    with pytest.raises(BadURL):
        parse("http://ok.com:6379/")


def test_a_network_that_the_operator_names_is_open_on_any_port(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("10.1.0.0/16"),)

    assert parse("http://10.1.2.3:9000/").permits(ip_address("10.1.2.3"))
    assert parse("https://[::ffff:10.1.2.3]/").host == "10.1.2.3"
    with pytest.raises(BadURL):
        parse("http://10.2.0.1:9000/")
    by_name = parse("http://receiver:9000/")
    assert by_name.permits(ip_address("10.1.2.3"))
    assert not by_name.permits(ip_address("10.2.0.1"))
    assert not by_name.permits(ip_address("8.8.8.8"))


@pytest.mark.parametrize(
    "host", ["keys.ok.com", "KEYS.ok.com", "93.184.216.34", "a.all.ok.com", "all.ok.com"]
)
def test_the_platform_does_not_talk_to_itself(host: str, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://keys.ok.com"
    settings.ALLOWED_HOSTS = ["keys.ok.com", "93.184.216.34", ".all.ok.com", "*"]

    with pytest.raises(BadURL):
        parse(f"https://{host}/")
    assert parse("https://other.ok.com/").ordinary
