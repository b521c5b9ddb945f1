"""A post goes where its URL says and nowhere else, and says only what it was told to say."""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from statistics import median

import pytest
from pytest_django import Settings

from tests.webhooks.certificates import Authority
from tests.webhooks.name_server import NameServer
from tests.webhooks.peers import Peer, Stage, answering, playing
from webhooks.dialing import Trouble, trust
from webhooks.posting import FRAMING, MOST_KEPT, MOST_READ, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REDIRECT = "HTTP/1.1 {} Elsewhere\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n"
PLACES = [  # canaries listen at both ports
    "http://127.0.0.1:{port}/",
    "http://127.1.0.1:{open}/",
    "https://127.1.0.1:{open}/",
    "//127.0.0.1:{port}/",
    "/elsewhere",
    "elsewhere?again=1",
    "file:///etc/passwd",
    "http://169.254.169.254/",
    "",
]


@pytest.fixture
def names(settings: Settings) -> Iterator[NameServer]:
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.1.0.0/16"),)
    with NameServer() as server:
        settings.WEBHOOK_DNS = (server.address,)
        server.zone["hooks.ok.com"] = {"A": ["127.1.0.1"]}
        yield server


@pytest.fixture
def receiver(names: NameServer) -> Iterator[Stage]:
    with answering(OK, "127.1.0.1") as stage:
        yield stage


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    found = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(found.path))
    trust.cache_clear()
    yield found
    trust.cache_clear()


def test_a_post_says_what_it_was_told_and_nothing_about_itself(receiver: Stage) -> None:
    headers = {"Content-Type": "application/json", "webhook-id": "evt_1", "X-Empty": ""}

    reply = post(receiver.url("hooks.ok.com") + "?a=b", b'{"a": 1}', headers)

    assert (reply.status, reply.ok, reply.excerpt, reply.error) == (200, True, "ok", "")
    assert receiver.requests == [
        b"POST /hook?a=b HTTP/1.1\r\n"
        b"Host: hooks.ok.com:%d\r\n"
        b"Content-Length: 8\r\nAccept-Encoding: identity\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nwebhook-id: evt_1\r\nX-Empty: \r\n\r\n"
        b'{"a": 1}' % receiver.port
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_redirect_is_a_failure_and_not_followed(
    secure: bool, place: str, status: int, names: NameServer, authority: Authority
) -> None:
    tls = authority.tls("127.1.0.1") if secure else None
    with answering(OK) as inside, answering(OK, "127.1.0.1") as outside:
        location = place.format(port=inside.port, open=outside.port)
        answer = REDIRECT.format(status, location).encode()

        with answering(answer, "127.1.0.1", tls=tls) as redirecting:
            reply = post(redirecting.url(scheme="https" if secure else "http"), b"{}", {})

        assert (reply.status, reply.ok, reply.error) == (status, False, "")
        assert redirecting.connections == 1
        assert not inside.connections + outside.connections


def test_each_post_finds_out_anew_where_its_name_leads(names: NameServer) -> None:
    with answering(OK, "127.1.0.1") as old, answering(OK, "127.1.0.2", old.port) as new:
        url = old.url("hooks.ok.com")

        first = [post(url, b"{}", {}).ok for _ in range(3)]
        names.zone["hooks.ok.com"] = {"A": ["127.1.0.2"]}
        second = [post(url, b"{}", {}).ok for _ in range(2)]

        assert all(first + second)
        assert (old.connections, new.connections) == (3, 2)


@pytest.mark.parametrize("host", ["keys.ok.com", "hooks.ok.com"])
def test_the_platform_is_not_called_by_any_of_its_names(
    host: str, names: NameServer, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ()
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.PUBLIC_URL = "https://keys.ok.com"
    names.zone["keys.ok.com"] = names.zone["hooks.ok.com"] = {"A": ["93.184.216.34"]}

    reply = post(f"http://{host}:8080/", b"{}", {})

    assert (reply.status, reply.error) == (None, Trouble.NOT_PUBLIC)


@pytest.mark.parametrize("host", ["127.0.0.1", "inside.ok.com"])
def test_an_open_port_inside_looks_like_a_closed_one(host: str, names: NameServer) -> None:
    names.zone["inside.ok.com"] = {"A": ["127.0.0.1"]}
    with answering(OK) as closed:
        pass

    with answering(OK) as opened:
        there, gone = (
            [post(stage.url(host), b"{}", {}) for _ in range(30)] for stage in (opened, closed)
        )

    assert {reply.error for reply in there + gone} == {Trouble.NOT_PUBLIC}
    assert {reply.status for reply in there + gone} == {None}
    assert not opened.connections
    times = [median(reply.duration_ms for reply in replies) for replies in (there, gone)]
    assert abs(times[0] - times[1]) < 50


def test_only_the_beginning_of_an_answer_is_read(names: NameServer) -> None:
    taken = []

    def behaviour(peer: Peer) -> None:
        peer.hear()
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            taken.append(peer.socket.send(bytes(10_000)))

    with playing(behaviour, "127.1.0.1") as stage:
        reply = post(stage.url(), b"{}", {})
        assert stage.left.acquire(timeout=10)

    assert reply.ok
    assert len(reply.excerpt.encode()) <= MOST_KEPT < MOST_READ
    assert sum(taken) < 20_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Name", "a\r\nX-Injected: yes"),
        ("X-Name", "a\nX-Injected: yes"),
        ("X-Name", "a\rX-Injected: yes"),
        ("X-Name", "a\r\n\r\nPOST / HTTP/1.1"),
        ("X-Name", "a\n"),
        ("X-Name", "\r\na"),
        ("X-Name", "a\0b"),
        ("X-Name", "a\x0bb"),
        ("X-Name", "a\x7f"),
        ("X-Name", "a\u2028b"),
        ("X-Name", "ä"),
        ("X-Name", "\u560d\u560aX-Injected: yes"),
        ("X-Name", " a"),
        ("X-Name", "a "),
        ("X-Name\r\nX-Injected", "yes"),
        ("X-Name: a\r\nX", "b"),
        ("X-Name\n", "a"),
        ("X Name", "a"),
        ("X-Name:", "a"),
        ("Ä", "a"),
        ("", "a"),
        *((name, "1") for name in sorted(FRAMING)),
        *((name.title(), "1") for name in sorted(FRAMING)),
    ],
)
def test_a_header_that_would_say_more_is_refused(name: str, value: str, receiver: Stage) -> None:
    with pytest.raises(ValueError, match=r"header|value"):
        post(receiver.url(), b"{}", {"X-Good": "yes", name: value})

    assert not receiver.connections


def test_tls_is_spoken_with_the_name_of_the_host(names: NameServer, authority: Authority) -> None:
    asked: list[str | None] = []
    tls = authority.tls("hooks.ok.com")
    tls.sni_callback = lambda connection, name, context: asked.append(name)

    with answering(OK, "127.1.0.1", tls=tls) as stage:
        reply = post(stage.url("hooks.ok.com", "https"), b"{}", {})

    assert reply.ok
    assert asked == ["hooks.ok.com"]
    assert b"\r\nHost: hooks.ok.com:%d\r\n" % stage.port in stage.requests[0]


@pytest.mark.parametrize("fault", ["none", "expired", "wrong name", "self-signed", "unknown"])
def test_only_a_receiver_that_proves_who_it_is_hears_anything(
    fault: str, names: NameServer, authority: Authority, tmp_path: Path
) -> None:
    good, stranger = authority.tls("hooks.ok.com"), Authority(tmp_path, "stranger")
    alone = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    alone.load_cert_chain(stranger.path, stranger.key_path)
    tls = {
        "none": good,
        "expired": authority.tls("hooks.ok.com", until=timedelta(hours=-1)),
        "wrong name": authority.tls("other.ok.com"),
        "self-signed": alone,
        "unknown": stranger.tls("hooks.ok.com"),
    }[fault]

    with answering(OK, "127.1.0.1", tls=tls) as stage:
        reply = post(stage.url("hooks.ok.com", "https"), b"secret", {})

    assert (reply.ok, reply.error) == (
        (True, "") if fault == "none" else (False, Trouble.NOT_TRUSTED)
    )
    assert len(stage.requests) == reply.ok


def test_a_record_of_tls_that_drips_is_left_at_the_deadline(
    names: NameServer, authority: Authority
) -> None:
    def behaviour(peer: Peer) -> None:
        peer.hear()
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        with socket.socket(fileno=os.dup(peer.socket.fileno())) as beneath:
            beneath.sendall(b"\x17\x03\x03\x40\x00")
            Peer(beneath).drip(b"x")

    with playing(behaviour, "127.1.0.1", tls=authority.tls("127.1.0.1")) as stage:
        reply = post(stage.url(scheme="https"), b"{}", {}, deadline_seconds=1)
        assert stage.left.acquire(timeout=10)

    assert (reply.status, reply.error) == (200, Trouble.TIMEOUT)
    assert 900 < reply.duration_ms < 6000


def test_an_address_may_have_a_certificate_of_its_own(
    names: NameServer, authority: Authority
) -> None:
    with answering(OK, "127.1.0.1", tls=authority.tls("127.1.0.1")) as stage:
        assert post(stage.url(scheme="https"), b"{}", {}).ok


def test_the_proxies_of_the_environment_are_not_asked(
    receiver: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(OK) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())

        reply = post(receiver.url("hooks.ok.com"), b"{}", {})

    assert reply.ok
    assert receiver.connections == 1
    assert not proxy.connections
