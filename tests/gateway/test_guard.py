"""Before Django and the gateway alike: heads, addresses and bodies of a bearable size and speed."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gateway.call import MAX_BODY
from tests.gateway.site import Site
from tests.gateway.wire import Exchange, chunked, exchange, request
from tests.people import make_key

CHAT, PAGE = "/v1/chat/completions", "/login/"
FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"
MIB = 1024 * 1024
PIECE = b"x" * 65536


def pieces(size: int) -> Iterable[bytes]:
    return [PIECE] * (size // len(PIECE)) + [b"x" * (size % len(PIECE))]


def refused(done: Exchange, path: str, status: int, code: str) -> None:
    """In JSON for a client of the API, on a page for a browser."""
    assert done.statuses == [status], done.received[:200]
    if path == PAGE:
        assert b"content-security-policy: " in done.received
        assert f'<p class="note">{status}</p>'.encode() in done.body
    else:
        assert done.error["code"] == code
        assert f"x-request-id: {done.error['request_id']}".encode() in done.received


@pytest.mark.parametrize(("path", "cap"), [(CHAT, MAX_BODY), (PAGE, MIB)])
@pytest.mark.parametrize("how", ["declared", "chunked", "lying"])
def test_a_body_over_the_cap_is_413_and_never_touches_the_disk(
    site: Site, path: str, cap: int, how: str
) -> None:
    head = [f"Authorization: Bearer {make_key().plaintext}", FORM]
    before = written(site)

    if how == "declared":
        parts = [request(path, *head, length=cap + 1)]
    elif how == "chunked":
        parts = [request(path, *head, CHUNKED, length=-1), *chunked(pieces(cap + 4 * MIB))]
    else:
        parts = [request(path, *head, length=10**12), *pieces(cap + 4 * MIB)]
    done = exchange(site.port, parts)

    refused(done, path, 413, "body_too_large")
    assert written(site) - before < 2 * MIB  # journals begin with half a one each


def written(site: Site) -> int:
    """Bytes that the workers have written to files; what they send over sockets is not among."""
    accounts = [Path(f"/proc/{pid}/io").read_text() for pid in site.worker_pids()]
    return sum(int(account.partition("wchar: ")[2].split()[0]) for account in accounts)


@pytest.mark.parametrize("path", [CHAT, PAGE])
def test_a_body_in_chunks_of_a_byte_is_received_or_refused_but_never_waited_for(
    site: Site, path: str
) -> None:
    head = request(path, f"Authorization: Bearer {make_key().plaintext}", FORM, CHUNKED, length=-1)

    done = exchange(site.port, [head, b"".join(chunked([b"x"] * 20_000))], patience=20)

    assert done.statuses == [403 if path == PAGE else 400]


def test_whoever_dawdles_is_given_up(site: Site) -> None:
    key = f"Authorization: Bearer {make_key().plaintext}"
    bodies = {
        (path, name): [request(path, key, FORM, length=10_000), *rest]
        for path in (CHAT, PAGE)
        for name, rest in {
            "nothing": [],
            "a byte": [b"x"],
            "100 bytes a second": [b"x" * 100] * 9,
        }.items()
    }
    head = [b"GET /login/ HTTP/1.1\r\n", *[b"X: y\r\n"] * 11]

    with ThreadPoolExecutor() as pool:
        endless = pool.submit(exchange, site.port, head, pause=1, patience=5)
        slow = {
            (path, name): pool.submit(exchange, site.port, parts, pause=1, patience=10)
            for (path, name), parts in bodies.items()
        }

    assert (endless.result().statuses, endless.result().closed) == ([], True)
    for (path, _), done in slow.items():
        refused(done.result(), path, 400, "body_incomplete")
        assert done.result().closed


def test_a_body_that_takes_its_time_is_served(site: Site) -> None:
    body = b'{"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hi"}]}'
    head = request(CHAT, f"Authorization: Bearer {make_key().plaintext}", length=len(body))

    done = exchange(site.port, [head, body[:20], body[20:40], body[40:]], pause=0.5, patience=2)

    assert done.statuses == [200]


@pytest.mark.parametrize("path", [CHAT, PAGE])
def test_an_address_over_8_kib_is_414(site: Site, path: str) -> None:
    fits = exchange(site.port, [request(f"{path}?{'a' * 8000}", method="GET")])
    done = exchange(site.port, [request(f"{path}?{'a' * 8192}", method="GET")])

    assert fits.statuses == [200 if path == PAGE else 405]
    refused(done, path, 414, "address_too_long")


@pytest.mark.parametrize("path", [CHAT, PAGE])
def test_headers_over_32_kib_are_431(site: Site, path: str) -> None:
    fits = exchange(site.port, [request(path, f"X-Long: {'a' * 30_000}", method="GET")])
    done = exchange(site.port, [request(path, f"X-Long: {'a' * 32_768}", method="GET")])
    beyond = exchange(site.port, [request(path, f"X-Long: {'a' * 100_000}", method="GET")])

    assert fits.statuses == [200 if path == PAGE else 405]
    assert done.statuses == beyond.statuses == [431]
    if done.body:  # else they came in pieces, and Granian was first
        refused(done, path, 431, "headers_too_large")


def test_django_reads_a_form_that_came_in_pieces(client: httpx.Client) -> None:
    client.get(PAGE)
    token = client.cookies["csrftoken"]
    form = f"csrfmiddlewaretoken={token}&login=nobody%40example.com&password=wrong".encode()

    answer = client.post(
        PAGE,
        content=iter([form[:10], form[10:]]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert answer.status_code == 200
    assert "not correct" in answer.text


def test_a_client_sees_the_413_although_it_was_still_sending(site: Site) -> None:
    with httpx.Client(base_url=site.url, headers=make_key().headers) as client:
        answers = [client.post(CHAT, content=b"x" * (MAX_BODY + 1)) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {413}
