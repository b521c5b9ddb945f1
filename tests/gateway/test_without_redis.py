"""While Redis is away the processes of a host share what is left; together never more than that."""

import time
from collections import Counter
from collections.abc import Callable

import httpx
import pytest
from django.conf import settings

from tests.gateway import burst
from tests.gateway.gate import Gate, GatedSite
from tests.people import Issued, make_key
from usage import reports
from usage.partitions import today
from usage.recorder import Recorder

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello"}]}
BEFORE, LIMIT = 7, 20
LESS_OFTEN = [("minute", "silent"), ("day", "gone"), ("month", "gone"), ("month", "silent")]
LOSSES: dict[str, Callable[[Gate], None]] = {"gone": Gate.shut, "silent": Gate.silence}


def post(site: GatedSite, key: Issued, number: int) -> Counter[int]:
    return burst.statuses(site.port, burst.request(key.plaintext, HELLO), number)


def call(site: GatedSite, key: Issued) -> httpx.Response:
    url = f"{site.url}/v1/chat/completions"
    return httpx.post(url, json=HELLO, headers=key.headers, timeout=20)


def used(site: GatedSite, key: Issued) -> dict[str, int]:
    answer = httpx.get(f"{site.url}/v1/limits", headers=key.headers)
    return {f"{it['unit']} {it['window']}": it["used"] for it in answer.json()["data"]}


@pytest.mark.parametrize(
    ("window", "loss"),
    [
        *(("minute", "gone"), ("day", "silent")),
        *(pytest.param(*each, marks=pytest.mark.t2) for each in LESS_OFTEN),
    ],
)
def test_four_processes_admit_what_is_left_and_not_one_more(
    four_gated: GatedSite, loss: str, window: str
) -> None:
    key = make_key(**{f"requests_per_{window}": LIMIT, "tokens_per_day": 10**9})
    assert post(four_gated, key, BEFORE) == {200: BEFORE}

    LOSSES[loss](four_gated.redis)
    without = post(four_gated, key, 60)
    four_gated.redis.open()
    after = post(four_gated, key, 60)

    assert without[200] == LIMIT - BEFORE
    assert set(without) <= {200, 429, 503}
    assert after[200] == 0
    assert set(after) <= {429, 503}


@pytest.mark.parametrize("loss", ["gone", pytest.param("silent", marks=pytest.mark.t2)])
def test_what_was_used_meanwhile_is_counted_once(four_gated: GatedSite, loss: str) -> None:
    limits = {"requests_per_minute": 10**6, "tokens_per_minute": 10**9, "tokens_per_day": 10**9}
    key = make_key(**limits, requests_per_day=10**6)
    assert post(four_gated, key, 4) == {200: 4}

    LOSSES[loss](four_gated.redis)
    without = post(four_gated, key, 40)
    four_gated.redis.open()
    time.sleep(2)

    Recorder(settings.JOURNAL_DIR).run_once()
    known = used(four_gated, key)
    assert without == {200: 40}
    assert known["requests day"] == known["requests minute"] == 44
    assert known["requests day"] == reports.requests_on_day(key.account.pk, today())
    assert known["tokens day"] == reports.tokens_on_day(key.account.pk, today())


@pytest.mark.t2
def test_after_a_minute_nothing_is_served_and_then_everything_again(four_gated: GatedSite) -> None:
    key, idle = make_key(requests_per_minute=10**6), make_key()
    assert post(four_gated, key, 8) == post(four_gated, idle, 8) == {200: 8}

    four_gated.redis.shut()
    while_bearable = []
    for _ in range(11):
        while_bearable.append(call(four_gated, key).status_code)
        time.sleep(5)
    time.sleep(7)
    refused = [call(four_gated, key), call(four_gated, idle)]
    four_gated.redis.open()
    time.sleep(2)
    again = post(four_gated, key, 8)

    assert while_bearable == [200] * 11
    assert [answer.status_code for answer in refused] == [503, 503]
    assert int(refused[0].headers["retry-after"]) >= 1
    assert again == {200: 8}
    assert used(four_gated, key)["requests minute"] >= 8


@pytest.mark.t2
@pytest.mark.parametrize("loss", LOSSES)
def test_no_minute_holds_more_however_often_redis_comes_and_goes(
    four_gated: GatedSite, loss: str
) -> None:
    key = make_key(requests_per_minute=LIMIT, requests_per_day=3 * LIMIT)
    admitted: list[float] = []
    began = time.monotonic()
    assert post(four_gated, key, 3) == {200: 3}
    admitted += [time.monotonic()] * 3

    while time.monotonic() - began < 90:
        LOSSES[loss](four_gated.redis)
        admitted += [time.monotonic()] * post(four_gated, key, 20)[200]
        time.sleep(1)
        four_gated.redis.open()
        admitted += [time.monotonic()] * post(four_gated, key, 20)[200]
        time.sleep(1)

    within = [sum(start <= moment < start + 60 for moment in admitted) for start in admitted]
    assert max(within) <= LIMIT
    assert LIMIT < len(admitted) <= 3 * LIMIT


def test_answers_say_that_limits_are_taken_from_memory(four_gated: GatedSite) -> None:
    key = make_key(requests_per_minute=20, own={"requests_per_day": 6})
    before = call(four_gated, key)

    four_gated.redis.shut()
    answers = [call(four_gated, key) for _ in range(6)]
    models = httpx.get(f"{four_gated.url}/v1/models", headers=key.headers)
    four_gated.redis.open()

    assert "x-keyplex-degraded" not in before.headers
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert {answer.headers["x-keyplex-degraded"] for answer in answers} == {"limits"}
    left = [answer.headers["x-ratelimit-remaining-requests-day"] for answer in answers]
    assert left == ["4", "3", "2", "1", "0", "0"]
    assert answers[5].headers["x-ratelimit-scope"] == "key"
    assert models.status_code == 200
