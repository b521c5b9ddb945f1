"""Whatever a receiver does, its outcome is known by the deadline and costs next to nothing."""

import random
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from ipaddress import ip_network

import pytest
from django.test import override_settings
from pytest_django import Settings

from tests.webhooks.peers import Peer, not_accepting, playing
from tests.webhooks.zoo import BROKEN, FLOODS, HANGING, ODD, Member, answers, says
from webhooks.dialing import Trouble
from webhooks.posting import DAY, MOST_KEPT, Reply, post

SHORT = 1.0  # seconds that a receiver has that hangs
PATIENT = 10.0
SLACK = 5.0  # seconds that a busy machine may add
MEMORY = 2 * 1024 * 1024
Outcomes = dict[str, tuple[Reply, float]]


@pytest.fixture(autouse=True)
def _at_home(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)


def visit(member: Member, deadline: float) -> tuple[Reply, float]:
    """What came of it, and after how many seconds; the connection is closed by then."""
    scheme = "https" if member.secure else "http"
    with playing(member.behaviour, tls=member.tls) as stage:
        started = time.monotonic()
        reply = post(stage.url(scheme=scheme), member.body, {}, deadline_seconds=deadline)
        seconds = time.monotonic() - started
        assert all(stage.left.acquire(timeout=SLACK) for _ in range(stage.connections))
    return reply, seconds


def visit_all(members: dict[str, Member], deadline: float, threads: int) -> Outcomes:
    home = override_settings(WEBHOOK_ALLOWED_NETWORKS=(ip_network("127.0.0.0/8"),))
    with home, ThreadPoolExecutor(threads) as pool:
        visits = {name: pool.submit(visit, each, deadline) for name, each in members.items()}
        return {name: visit.result() for name, visit in visits.items()}


@pytest.fixture(scope="module")
def hung() -> Outcomes:
    return visit_all(HANGING, SHORT, threads=len(HANGING))


@pytest.fixture(scope="module")
def told() -> Outcomes:
    return visit_all(BROKEN | ODD, PATIENT, threads=4)


@pytest.mark.parametrize("name", HANGING)
def test_who_hangs_is_left_at_the_deadline(name: str, hung: Outcomes) -> None:
    member, (reply, seconds) = HANGING[name], hung[name]

    assert (reply.status, {reply.error}) == (member.status, member.errors)
    assert SHORT * 0.9 < seconds < SHORT + SLACK
    assert reply.duration_ms <= seconds * 1000 + 1


@pytest.mark.parametrize("name", BROKEN | ODD)
def test_what_was_said_or_not_is_known(name: str, told: Outcomes) -> None:
    member, (reply, seconds) = (BROKEN | ODD)[name], told[name]

    assert reply.status == member.status
    assert reply.error in member.errors
    assert reply.ok == (member.status in range(200, 300))
    assert seconds < PATIENT


@pytest.mark.parametrize("name", FLOODS)
def test_who_floods_is_soon_left_and_takes_no_room(name: str) -> None:
    member = FLOODS[name]
    post("http://127.0.0.1:1/", b"", {})

    tracemalloc.start()
    reply, seconds = visit(member, PATIENT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (reply.status, {reply.error}) == (member.status, member.errors)
    assert len(reply.excerpt.encode()) <= MOST_KEPT
    assert peak < MEMORY
    assert seconds < PATIENT


def test_noise_is_never_more_than_an_error() -> None:
    chance, answer = random.Random(7), bytearray()

    def behaviour(peer: Peer) -> None:
        peer.hear()
        peer.say(bytes(answer))

    with playing(behaviour) as stage:
        for _ in range(300):
            answer[:] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            for _ in range(chance.randint(1, 8)):
                answer[chance.randrange(len(answer))] = chance.randrange(256)
            reply = post(stage.url(), b"{}", {}, deadline_seconds=PATIENT)
            assert reply.status or reply.error in {Trouble.NOT_HTTP, Trouble.BROKEN}


def test_who_does_not_accept_is_left_at_the_deadline() -> None:
    with not_accepting() as stage:
        reply = post(stage.url(), b"{}", {}, deadline_seconds=SHORT)

    assert (reply.status, reply.error) == (None, Trouble.TIMEOUT)
    assert reply.duration_ms < (SHORT + SLACK) * 1000


def test_who_is_not_there_is_no_connection() -> None:
    with playing(Peer.until_left) as stage:
        pass

    reply = post(stage.url(), b"{}", {})

    assert (reply.status, reply.error) == (None, Trouble.NOT_CONNECTED)


@pytest.mark.parametrize(("pause", "ok"), [(0.7, True), (2.0, False)])
def test_slow_is_good_enough_until_the_deadline(pause: float, ok: bool) -> None:
    def slow(peer: Peer) -> None:
        peer.hear()
        time.sleep(pause)
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    reply, _ = visit(Member(slow, 200, {""}), 1.4)

    assert reply.ok == ok
    assert reply.error == ("" if ok else Trouble.TIMEOUT)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("120", 120),
        ("1", 1),
        ("0", 1),
        ("  7  ", 7),
        ("86401", DAY),
        ("9" * 30, DAY),
        ("9" * 5000, DAY),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("1e3", None),
        ("soon", None),
        ("", None),
        ("\u0663", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("Fri, 99 Dec 2030 23:59:59 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 1),
    ],
)
def test_retry_after_is_at_least_a_second_and_at_most_a_day(said: str, meant: int | None) -> None:
    head = f"HTTP/1.1 429 Slow Down\r\nRetry-After: {said}\r\nContent-Length: 0\r\n\r\n"

    reply, _ = visit(answers(head.encode("latin-1", "replace")), PATIENT)

    assert (reply.status, reply.retry_after) == (429, meant)


def test_retry_after_may_be_a_date() -> None:
    date = formatdate(time.time() + 600, usegmt=True)
    head = f"HTTP/1.1 503 Closed\r\nRetry-After: {date}\r\nContent-Length: 0\r\n\r\n"

    reply, _ = visit(answers(head.encode()), PATIENT)

    assert reply.retry_after
    assert 600 - SLACK <= reply.retry_after <= 600


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"thank you", "thank you"),
        ("dankeschön".encode(), "dankeschön"),
        (b"a\xff\xfeb", "a\ufffd\ufffdb"),
        (b"a\0b", "a\ufffdb"),
        (b"", ""),
        (b"x" * 5000, "x" * 4096),
        (b"\xff" * 5000, "\ufffd" * (4096 // 3)),
        (("x" + "ö" * 5000).encode(), "x" + "ö" * 2047),
    ],
)
def test_the_beginning_of_a_body_is_kept_as_text(body: bytes, excerpt: str) -> None:
    reply, _ = visit(Member(says(b"HTTP/1.1 200 OK\r\n\r\n" + body), 200, {""}), PATIENT)

    assert reply.excerpt == excerpt
