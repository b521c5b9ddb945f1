"""A provider that is drained finishes what it does; one that is switched off is cut off at once."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from accounts.audit import CONSOLE
from gateway.models import ModelRoute, Provider
from gateway.route_health import RouteHealth
from gateway.upstream import SHUT, Upstream, UpstreamBroken
from tests.gateway.conftest import Recorded
from tests.gateway.provider_socket import Peer, echo, play, post, until
from tests.gateway.provider_socket import Provider as Socket
from tests.gateway.scripted import Scripted, Way, make_model
from tests.gateway.site import Site
from tests.gateway.test_bad_input import check
from tests.gateway.test_wrong_hands import LONG, SLOW, stream
from tests.people import Issued, make_key

ANSWER = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}


def ask(site: Site, key: Issued, **fields: Any) -> httpx.Response:
    address = f"{site.url}/v1/chat/completions"
    return httpx.post(address, headers=key.headers, json=SLOW | fields, timeout=60)


def sandbox() -> Provider:
    return Provider.objects.get(base_url__startswith="/")


def slow_with_spare(spare: Scripted) -> str:
    """A model that takes seven seconds to answer, and another route that answers at once."""
    model = make_model(Way(sandbox()), Way(spare.row(), priority=1))
    ModelRoute.objects.filter(model__model_id=model, priority=0).update(upstream_model="slow")
    return model


def test_nobody_begins_with_a_provider_that_is_shut_not_even_who_was_connecting() -> None:
    async def story(upstream: Upstream, provider: Socket) -> None:
        upstream.shut(frozenset({"test"}))
        with pytest.raises(UpstreamBroken, match=SHUT):
            await post(upstream, provider.route())
        assert not upstream.running
        assert [peer.heads for peer in provider.peers] == [[]]

        upstream.shut(frozenset({"another"}))
        assert await post(upstream, provider.route(), b"again") == b"again"

    play(echo, story)


def test_who_waits_for_a_provider_that_is_shut_hears_so_at_once_and_is_not_sent_there_again() -> (
    None
):
    async def silent(peer: Peer) -> None:
        await peer.question()
        await peer.reader.read()

    async def story(upstream: Upstream, provider: Socket) -> None:
        waiting = asyncio.create_task(post(upstream, provider.route()))
        await until(lambda: bool(provider.peers and provider.peers[0].heads))
        upstream.shut(frozenset({"test"}))
        with pytest.raises(UpstreamBroken, match=SHUT) as trouble:
            await waiting
        assert not trouble.value.stale
        assert not upstream.running

    play(silent, story)


def test_a_stream_of_a_provider_that_is_switched_off_ends_with_an_error_that_says_so(
    site: Site, recorded: Recorded
) -> None:
    site.see_catalog()
    key, begun = make_key(), threading.Event()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(stream, site, key, begun)
        assert begun.wait(20)
        sandbox().switch_off("It lies.", by=CONSOLE)
        events, request_id = running.result()

    last = json.loads(events[-1])["error"]
    assert (last["type"], last["code"]) == ("model_error", "provider_switched_off")
    row = recorded(request_id)
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    delivered = sum(len(delta.get("content", "")) for delta in deltas)
    assert (row.outcome, row.error_code) == ("upstream_error", "provider_switched_off")
    assert 0 < delivered < len(LONG)
    assert abs(row.completion_tokens - delivered / 4) <= 2
    route = ModelRoute.objects.get(model__model_id="keyplex/slow")
    assert RouteHealth.now().of([route.pk]).open_until is None  # it is not to blame


def test_who_has_had_nothing_yet_is_served_by_the_next_route(
    site: Site, provider: Scripted, recorded: Recorded
) -> None:
    provider.says(ANSWER)
    key, model = make_key(), slow_with_spare(provider)
    site.see_catalog()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(ask, site, key, model=model)
        wait_until_it_runs(model)
        sandbox().switch_off("It lies.", by=CONSOLE)
        answer = running.result()

    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Hi"
    cut, answered = recorded(answer.headers["x-request-id"]).decision["routes"]
    assert (cut["outcome"], answered["outcome"]) == ("provider switched off", "answered")


def wait_until_it_runs(model: str) -> None:
    route, look = ModelRoute.objects.get(model__model_id=model, priority=0), threading.Event()
    for _ in range(100):
        if RouteHealth.now().of([route.pk]).running:
            return
        look.wait(0.1)
    raise AssertionError("it never ran")


def test_a_drained_provider_ends_what_it_began_and_begins_no_more(
    site: Site, provider: Scripted, recorded: Recorded
) -> None:
    provider.says(ANSWER)
    key, model, begun = make_key(), slow_with_spare(provider), threading.Event()
    site.see_catalog()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(stream, site, key, begun)
        assert begun.wait(20)
        sandbox().drain(by=CONSOLE)
        site.see_catalog()
        elsewhere = ask(site, key, model=model)
        nowhere = ask(site, key)
        events, _ = running.result()

    assert events[-1] == b"[DONE]"
    passed_over, answered = recorded(elsewhere.headers["x-request-id"]).decision["routes"]
    assert (passed_over["outcome"], answered["outcome"]) == ("drained", "answered")
    check(nowhere, 503, "model_unavailable")
    assert int(nowhere.headers["retry-after"]) == 30


def test_a_credential_that_is_set_by_hand_is_what_the_provider_gets(
    site: Site, provider: Scripted
) -> None:
    provider.says(ANSWER)
    row = provider.row(credential_env="NOBODY_SET_THIS")
    model, key = make_model(Way(row)), make_key()
    site.see_catalog()
    check(ask(site, key, model=model), 503, "provider_not_configured")

    row.set_credential("sk-set-by-hand", by=CONSOLE)
    site.see_catalog()

    assert ask(site, key, model=model).status_code == 200
    assert provider.heads[0]["authorization"] == "Bearer sk-set-by-hand"


def test_a_model_that_is_switched_off_does_not_exist_until_it_is_on_again(
    site: Site, provider: Scripted
) -> None:
    provider.says(ANSWER)
    route = ModelRoute.objects.select_related("model").get(
        model__model_id=make_model(Way(provider.row()))
    )
    key, name = make_key(), route.model.model_id
    assert ask(site, key, model=name).status_code == 200

    route.model.switch_off(by=CONSOLE)
    site.see_catalog()
    check(ask(site, key, model=name), 404, "invalid_model", "model")
    route.model.switch_on(by=CONSOLE)

    assert ask(site, key, model=name).status_code == 200
