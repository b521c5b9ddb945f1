"""Who guesses keys learns nothing, is told to wait, and costs the others nothing."""

import asyncio
import contextlib
import time
from typing import Any

import httpx
import pytest

from accounts import keys
from accounts.audit import SYSTEM
from gateway.auth import Callers
from gateway.errors import NotAuthenticated
from gateway.guesses import Guesses, TooManyGuesses
from gateway.redis_link import RedisLink
from tests.gateway.test_bad_input import check
from tests.gateway.test_key_rules import wait_for
from tests.people import make_key


class Untouched:
    """Stands where Redis would: nobody may ask it anything."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("Redis was asked")


def malformed(number: int) -> str:
    good = keys.generate()
    ways = (
        good[:-1],
        good + "x",
        good[:-1] + ("a" if good[-1] != "a" else "b"),
        good.replace("kpx_", "sk-", 1),
        good[:20] + "_" + good[21:],
    )
    return ways[number % len(ways)]


@pytest.mark.anyio
async def test_ten_thousand_malformed_keys_are_looked_up_nowhere() -> None:
    callers = Callers(Guesses(Untouched(), "keys", 60, "wrong keys"))  # type: ignore[arg-type]
    tried = [malformed(number) for number in range(10_000)]

    refused = 0
    for plaintext in tried:
        try:
            await callers.authenticate({b"x-api-key": plaintext.encode()}, "203.0.113.1")
        except NotAuthenticated:
            refused += 1

    assert refused == 10_000
    assert not callers._lookups
    assert not callers._known


@pytest.mark.anyio
async def test_guesses_count_for_all_processes_and_the_same_one_counts_once(
    link: RedisLink,
) -> None:
    ip = f"2001:db8::{int.from_bytes(keys.digest(keys.generate())[:2]):x}"
    kind = f"test{keys.generate()[4:12]}"
    one, other = (Guesses(link, kind, 60, "guesses") for _ in range(2))
    guesses = [keys.digest(str(number)) for number in range(60)]

    for _ in range(3):
        await asyncio.gather(*[one.count(ip, guess) for guess in guesses[:30]])
    await asyncio.gather(*[other.count(ip, guess) for guess in guesses[30:]])

    for counter in (one, other):
        counter.refuse(ip)
        with pytest.raises(
            Exception, match="Too many guesses came from your address; wait"
        ) as refusal:
            await counter.count(ip, b"one too many")
        assert 0 < (refusal.value.retry_after or 0) <= 60  # type: ignore[attr-defined]
        with pytest.raises(Exception, match="Too many guesses came from your address; wait"):
            counter.refuse(ip)
        counter.refuse("192.0.2.1")


def test_sixty_keys_that_do_not_exist_are_answered_and_then_none(proxied: httpx.Client) -> None:
    good = make_key()
    guesser, neighbour = {"X-Forwarded-For": "203.0.113.60"}, {"X-Forwarded-For": "203.0.113.61"}
    proxied.get("/v1/key", headers=good.headers | guesser)

    def guess(where: dict[str, str]) -> httpx.Response:
        return proxied.get("/v1/key", headers={"x-api-key": keys.generate()} | where)

    answers = [guess(guesser) for _ in range(70)]

    assert [answer.status_code for answer in answers] == [401] * 60 + [429] * 10
    wait = int(answers[-1].headers["retry-after"])
    assert check(answers[-1], 429, "too_many_attempts") == (
        f"Too many wrong keys came from your address; wait {wait} s."
    )
    assert 0 < wait <= 60
    check(guess(neighbour), 401, "invalid_api_key")


def test_a_good_key_beside_somebody_who_guesses_is_found_and_no_guess_is_answered(
    proxied: httpx.Client,
) -> None:
    office = {"X-Forwarded-For": "203.0.113.80"}
    owner, dead = make_key(), make_key()
    dead.api_key.revoke(by=SYSTEM)

    def status(key: str) -> int:
        return proxied.get("/v1/key", headers={"x-api-key": key} | office).status_code

    def soon(key: str, wanted: int) -> None:
        wait_for(lambda: guesses.append(status(keys.generate())) or status(key) == wanted)

    while status(keys.generate()) == 401:
        pass
    guesses: list[int] = []
    wrong = keys.generate()

    soon(owner.plaintext, 200)
    soon(dead.plaintext, 401)
    time.sleep(1)
    again = [status(wrong) for _ in range(8)]

    assert set(guesses) == set(again) == {429}


@pytest.mark.anyio
async def test_an_address_that_guesses_is_spared_a_few_looks_a_second(link: RedisLink) -> None:
    guesses = Guesses(link, f"test{keys.generate()[4:12]}", 1, "guesses")
    await guesses.count("192.0.2.80", b"wrong")
    with pytest.raises(TooManyGuesses):
        await guesses.count("192.0.2.80", b"wrong again")

    def passed() -> int:
        looks = 0
        for _ in range(1000):
            with contextlib.suppress(TooManyGuesses):
                guesses.refuse("192.0.2.80", spare=True)
                looks += 1
        return looks

    assert passed() == 5
    assert passed() == 0
    await asyncio.sleep(1)
    assert passed() == 5
    with pytest.raises(TooManyGuesses):
        guesses.refuse("192.0.2.80")


def test_a_thief_cannot_tell_a_honey_key_from_one_that_does_not_exist(
    proxied: httpx.Client,
) -> None:
    key = make_key()
    where = {"X-Forwarded-For": "203.0.113.70"}
    issue = type(key.api_key).objects.issue
    honey, plaintext = issue(key.account, name="Bait", scopes=[], by=SYSTEM, honey=True)

    tried = proxied.get("/v1/key", headers={"x-api-key": plaintext} | where)
    unknown = proxied.get("/v1/key", headers={"x-api-key": keys.generate()} | where)

    for answer in (tried, unknown):
        assert check(answer, 401, "invalid_api_key") == "This API key does not exist."
    assert tried.headers.keys() == unknown.headers.keys()
    wait_for(lambda: honey.account.notices.exists())
    honey.refresh_from_db()
    assert honey.last_used_ip == "203.0.113.70"
    assert honey.account.notices.filter(subject__contains="honey key “Bait”").count() == 1
    assert honey.account.audit_entries.filter(action="api_key.honey_tried").count() == 1
