"""Who is asked: an address that makes sense, answers, and proves whose it is."""

import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway import dialing
from gateway.upstream import Upstream, UpstreamBroken
from tests.gateway.provider_socket import Provider, echo, play, post, route


@pytest.mark.parametrize(
    ("base_url", "credential"),
    [
        ("ftp://127.0.0.1/v1", "sk"),
        ("http:///v1", "sk"),
        ("http://127.0.0.1:port/v1", "sk"),
        (f"http://{'a' * 64}.example/v1", "sk"),
        ("http://127.0.0.1/v1", "sk\r\nx: y"),
        ("http://127.0.0.1/v1", "sk\u20ac"),
    ],
)
def test_an_address_or_a_key_that_makes_no_sense_reaches_nobody(
    base_url: str, credential: str
) -> None:
    with pytest.raises(UpstreamBroken, match="no sense"):
        uvloop.run(post(Upstream(), route(base_url, credential)))


def test_an_ipv6_address_is_a_host() -> None:
    async def story(upstream: Upstream, provider: Provider) -> None:
        assert await post(upstream, provider.route("[::1]")) == b"{}"
        [peer] = provider.peers
        assert b"\r\nhost: [::1]:%d\r\n" % provider.port in peer.heads[0]

    play(echo, story, host="::1")


@pytest.fixture
def deaf() -> Any:
    """An address that never answers: its queue is full, and nobody takes from it."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        where = listening.getsockname()
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(where)
        yield socket.AF_INET, where
        for caller in callers:
            caller.close()


def test_an_address_that_refuses_or_never_answers_is_passed_over(deaf: Any) -> None:
    async def story(upstream: Upstream, provider: Provider) -> None:
        here = socket.AF_INET, ("127.0.0.1", provider.port)
        nobody = socket.AF_INET, ("127.0.0.1", 1)
        for addresses in ([nobody, here], [deaf, here], [nobody, deaf, here, deaf]):
            with await dialing.connected_socket(addresses) as found:
                assert found.getpeername() == here[1]
        with pytest.raises(ConnectionRefusedError):
            await dialing.connected_socket([nobody, nobody])
        with pytest.raises(OSError, match="without addresses"):
            await dialing.connected_socket([])

    play(echo, story)


def test_families_of_addresses_take_turns() -> None:
    found = dialing.in_turn([(6, "a"), (6, "b"), (6, "c"), (4, "d")])

    assert [where for _, where in found] == ["a", "d", "b", "c"]


def certificate(folder: Path, name: str, *more: str) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1, made by OpenSSL's program."""
    key, found = folder / f"{name}.key", folder / f"{name}.pem"
    words = f"openssl req -x509 -newkey ec -nodes -days 2 -subj /CN={name}"
    words += " -pkeyopt ec_paramgen_curve:P-256"
    subprocess.run(
        [*words.split(), "-keyout", str(key), "-out", str(found), *more],
        check=True,
        capture_output=True,
    )
    return key, found


def test_only_providers_that_prove_who_they_are_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority_key, authority = certificate(tmp_path, "authority")
    signed = ["-CA", str(authority), "-CAkey", str(authority_key)]
    signed += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    key, chain = certificate(tmp_path, "provider", *signed)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(chain, key)

    async def strangers(upstream: Upstream, provider: Provider) -> None:
        with pytest.raises(UpstreamBroken, match="no connection"):
            await post(upstream, provider.route(scheme="https"))

    async def known(upstream: Upstream, provider: Provider) -> None:
        for _ in range(3):
            assert await post(upstream, provider.route(scheme="https"), bytes(500_000)) == bytes(
                500_000
            )
        assert len(provider.peers) == 1
        with pytest.raises(UpstreamBroken, match="no connection"):
            await post(upstream, provider.route("localhost", scheme="https"))

    play(echo, strangers, tls=tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    play(echo, known, tls=tls)
