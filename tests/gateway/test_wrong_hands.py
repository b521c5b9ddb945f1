"""A key in wrong hands stops at once, with what it is getting just now."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from accounts.audit import SYSTEM
from accounts.key_rules import Reason
from tests.gateway.conftest import Recorded
from tests.gateway.site import Site
from tests.gateway.test_bad_input import HELLO, check
from tests.people import Issued, make_account, make_key

LONG = "word " * 120  # more than seven seconds of it
SLOW = {"model": "keyplex/slow", "messages": [{"role": "user", "content": LONG}]}


def stream(site: Site, key: Issued, begun: threading.Event) -> tuple[list[bytes], str]:
    """Every event of one slow answer, and the id of the request."""
    with httpx.stream(
        "POST",
        f"{site.url}/v1/chat/completions",
        headers=key.headers,
        json=SLOW | {"stream": True},
        timeout=60,
    ) as answer:
        events = []
        for line in answer.iter_lines():
            if line.startswith("data: "):
                events.append(line.removeprefix("data: ").encode())
                begun.set()
        return events, answer.headers["x-request-id"]


@pytest.mark.parametrize("reason", [Reason.COMPROMISED, Reason.LEAK])
def test_a_stream_is_cut_with_an_error_in_it_and_what_was_delivered_is_charged(
    site: Site, recorded: Recorded, reason: Reason
) -> None:
    site.see_catalog()
    key = make_key()
    colleague = make_key(key.account)
    begun, going_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(stream, site, key, begun)
        others = pool.submit(stream, site, colleague, going_on)
        assert begun.wait(20)
        assert going_on.wait(20)

        key.api_key.revoke(by=SYSTEM, reason=reason)
        events, request_id = running.result()
        untouched, _ = others.result()

    last = json.loads(events[-1])["error"]
    assert (last["code"], last["request_id"]) == ("key_revoked", request_id)
    assert untouched[-1] == b"[DONE]"
    row = recorded(request_id)
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    delivered = sum(len(delta.get("content", "")) for delta in deltas)
    assert (row.outcome, row.error_code) == ("client_error", "key_revoked")
    assert 0 < delivered < len(LONG)
    assert abs(row.completion_tokens - delivered / 4) <= 2
    check(httpx.get(f"{site.url}/v1/key", headers=key.headers), 401, "key_revoked")


def test_an_answer_that_has_not_begun_is_refused(site: Site) -> None:
    site.see_catalog()
    key = make_key()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(
            httpx.post,
            f"{site.url}/v1/chat/completions",
            headers=key.headers,
            json=SLOW,
            timeout=60,
        )
        time.sleep(1)
        key.api_key.revoke(by=SYSTEM, reason=Reason.COMPROMISED)

    check(running.result(), 401, "key_revoked")


def test_who_revokes_a_key_that_is_no_longer_needed_lets_its_answers_end(site: Site) -> None:
    site.see_catalog()
    key, begun = make_key(), threading.Event()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(stream, site, key, begun)
        assert begun.wait(20)
        key.api_key.revoke(by=SYSTEM)

    assert running.result()[0][-1] == b"[DONE]"


def rotated_under_traffic(site: Site, seconds: float) -> list[int]:
    """What programs got that learned of the new key while the old one was rotated."""
    old = make_key(make_account())
    place = {"key": old.plaintext}  # where the programs read their key
    stop = threading.Event()

    def program() -> list[int]:
        statuses = []
        with httpx.Client(base_url=site.url, timeout=60) as client:
            while not stop.is_set():
                headers = {"Authorization": f"Bearer {place['key']}"}
                answer = client.post("/v1/chat/completions", headers=headers, json=HELLO)
                statuses.append(answer.status_code)
        return statuses

    with ThreadPoolExecutor(4) as pool:
        programs = [pool.submit(program) for _ in range(4)]
        time.sleep(seconds / 3)
        _, plaintext = old.api_key.rotate(by=SYSTEM, until=timezone.now() + timedelta(hours=1))
        time.sleep(seconds / 3)
        place["key"] = plaintext
        time.sleep(seconds / 3)
        stop.set()
    return [status for running in programs for status in running.result()]


def test_rotation_under_traffic_loses_no_request(site: Site) -> None:
    site.see_catalog()

    during = rotated_under_traffic(site, seconds=4.5)

    assert len(during) > 20
    assert set(during) == {200}


@pytest.mark.t2
def test_a_revoked_key_is_dead_in_every_process_two_hundred_times(four_workers: Site) -> None:
    four_workers.see_catalog()
    account = make_account()
    with httpx.Client(base_url=four_workers.url, timeout=30) as client:
        for _ in range(200):
            key = make_key(account)
            for _ in range(8):
                assert client.post(
                    "/v1/chat/completions", headers=key.headers, json=HELLO
                ).is_success
            key.api_key.revoke(by=SYSTEM)
            for _ in range(12):
                check(
                    client.post("/v1/chat/completions", headers=key.headers, json=HELLO),
                    401,
                    "key_revoked",
                )
