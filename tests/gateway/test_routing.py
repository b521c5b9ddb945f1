"""A call goes from route to route until one answers, and never twice to a client that has begun."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.audit import SYSTEM
from gateway.catalog import Route
from gateway.dialects import Deadlines
from gateway.models import ModelRoute
from gateway.routing import RetryBudget, in_turn
from tests.gateway.conftest import Recorded
from tests.gateway.scripted import Scripted, Way, make_model, scripted_provider
from tests.gateway.site import Site
from tests.gateway.test_bad_input import check
from tests.people import make_key

ANSWER = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
CHUNK = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
NO = {"error": {"message": "no"}}


@pytest.fixture
def providers(site: Site) -> Iterator[list[Scripted]]:
    with ExitStack() as stack:
        yield [stack.enter_context(scripted_provider()) for _ in range(3)]


def ask(client: httpx.Client, model: str, **fields: Any) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]} | fields
    return client.post("/v1/chat/completions", headers=make_key().headers, json=body)


def in_order(providers: list[Scripted], **fields: Any) -> str:
    ways = [Way(provider.row(**fields), priority=at) for at, provider in enumerate(providers)]
    return make_model(*ways)


def asked(providers: list[Scripted]) -> list[int]:
    return [len(provider.bodies) for provider in providers]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529, 401, 402, 403, 301])
@pytest.mark.parametrize("stream", [False, True])
def test_the_next_route_answers_where_one_fails(
    client: httpx.Client,
    providers: list[Scripted],
    recorded: Recorded,
    status: int,
    stream: bool,
) -> None:
    first, second, third = providers
    first.says(NO, status=status)
    second.streams(CHUNK) if stream else second.says(ANSWER)
    third.says(ANSWER)

    answer = ask(client, in_order(providers), stream=stream)

    assert answer.status_code == 200
    assert "Hi" in answer.text
    assert asked(providers) == [1, 1, 0]
    assert answer.headers["x-keyplex-attempts"] == "2"
    row = recorded(answer.headers["x-request-id"])
    assert (row.attempts, row.provider) == (2, answer.headers["x-keyplex-provider"])
    assert row.model == answer.headers["x-keyplex-model"]
    failed, answered = row.decision["routes"]
    assert (failed["status"], answered["outcome"]) == (status, "answered")


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b"<html>", b"{}", b'{"choices":[]}', b'{"error":{"code":502}}'],
)
def test_an_unusable_answer_is_a_failure(
    client: httpx.Client, providers: list[Scripted], body: bytes
) -> None:
    first, second, _ = providers
    first.says(body)
    second.says(ANSWER)

    answer = ask(client, in_order(providers))

    assert answer.status_code == 200
    assert asked(providers) == [1, 1, 0]


def test_a_stream_that_breaks_before_its_first_event_is_asked_for_elsewhere(
    client: httpx.Client, providers: list[Scripted]
) -> None:
    first, second, third = providers
    first.streams(b": thinking\n\n", done=False)
    second.streams(NO, done=False)
    third.streams(CHUNK)

    answer = ask(client, in_order(providers), stream=True)

    assert answer.text.endswith("data: [DONE]\n\n")
    assert asked(providers) == [1, 1, 1]


def test_nobody_else_is_asked_once_the_client_has_had_something(
    client: httpx.Client, providers: list[Scripted], recorded: Recorded
) -> None:
    first, second, _ = providers
    begun = {"choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": None}]}
    first.streams(begun, done=False)
    second.streams(CHUNK)

    answer = ask(client, in_order(providers), stream=True)

    assert "error" in answer.text
    assert asked(providers) == [1, 0, 0]
    row = recorded(answer.headers["x-request-id"])
    assert (row.outcome, row.attempts) == ("upstream_error", 1)


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_what_is_the_clients_own_fault_is_answered_at_once(
    client: httpx.Client, providers: list[Scripted], status: int
) -> None:
    providers[0].says({"error": {"message": "'top_k' is too large"}}, status=status)

    answer = ask(client, in_order(providers))

    assert "'top_k' is too large" in check(answer, 400, "rejected_by_model")
    assert asked(providers) == [1, 0, 0]


def test_at_most_two_more_are_asked(client: httpx.Client, providers: list[Scripted]) -> None:
    for provider in providers:
        provider.says(NO, status=500)
    ways = [
        Way(provider.row(), priority=at) for at, provider in enumerate([*providers, *providers])
    ]

    answer = ask(client, make_model(*ways))

    check(answer, 503, "model_unavailable")
    assert sum(asked(providers)) == 3
    assert int(answer.headers["retry-after"]) >= 1


def test_words_of_a_provider_come_without_its_secrets(
    client: httpx.Client, provider: Scripted
) -> None:
    said = "Bad key sk-proj-abcdefgh1234 at https://api.example.com/v1 (host api.openai.com)"
    provider.says({"detail": [{"msg": said}]}, status=422)

    message = check(ask(client, provider.serves()), 400, "rejected_by_model")

    assert message == "The model refused the request: Bad key … at … (host …"


def test_a_route_that_is_switched_off_is_passed_over_and_says_so(
    client: httpx.Client, providers: list[Scripted], recorded: Recorded, site: Site
) -> None:
    first, second, _ = providers
    first.says(ANSWER)
    second.says(ANSWER)
    model = in_order(providers)
    ask(client, model)

    route = ModelRoute.objects.get(model__model_id=model, priority=0)
    route.switch_off(by=SYSTEM)
    site.see_catalog()
    answer = ask(client, model)
    route.switch_on(by=SYSTEM)
    site.see_catalog()
    ask(client, model)

    assert asked(providers) == [2, 1, 0]
    passed_over, answered = recorded(answer.headers["x-request-id"]).decision["routes"]
    assert passed_over["outcome"] == "switched off"
    assert answered["outcome"] == "answered"
    assert answer.headers["x-keyplex-attempts"] == "1"


def test_each_route_is_asked_in_its_share(client: httpx.Client, providers: list[Scripted]) -> None:
    for provider in providers:
        provider.says(ANSWER)
    weights = zip(providers, (3, 1, 0), strict=True)
    model = make_model(*(Way(provider.row(), weight=weight) for provider, weight in weights))

    for _ in range(120):
        assert ask(client, model).status_code == 200

    heavy, light, last = asked(providers)
    assert heavy + light == 120
    assert 60 < heavy < 115
    assert last == 0


@pytest.mark.parametrize("deadlines", [{"first_byte": 0.2}, {"total": 0.2}])
def test_a_provider_that_says_nothing_is_given_up_on(
    client: httpx.Client, providers: list[Scripted], deadlines: dict[str, float]
) -> None:
    first, second, _ = providers
    second.says(ANSWER)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        first.base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        answer = ask(client, in_order(providers, deadlines=deadlines))

    assert answer.status_code == 200
    assert asked(providers) == [0, 1, 0]


def test_a_connection_that_ended_while_idle_is_nobodys_trouble(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_every_second, args=(server,), daemon=True).start()
        provider.base_url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        answer = ask(client, provider.serves())

    assert answer.status_code == 200
    row = recorded(answer.headers["x-request-id"])
    assert [route["outcome"] for route in row.decision["routes"]] == [
        "connection broken",
        "answered",
    ]


def answer_every_second(server: socket.socket) -> None:
    """Hang up on a request, and answer the next."""
    for number in range(2):
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            if number:
                body = b'{"choices":[{"message":{"content":"Hi"}}]}'
                head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
                connection.sendall(head + body)


def make_route(pk: int, priority: int, weight: int) -> Route:
    return Route(
        pk=pk,
        provider="p",
        base_url="",
        credential="",
        upstream_model="m",
        priority=priority,
        weight=weight,
        closed="",
        deadlines=Deadlines(),
        rules=(),
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=8))
def test_each_route_comes_once_in_order_of_priority(drawn: list[tuple[int, int]]) -> None:
    ordered = sorted(drawn)
    routes = tuple(make_route(pk, *pair) for pk, pair in enumerate(ordered))

    turn = list(in_turn(routes))

    assert Counter(route.pk for route in turn) == Counter(range(len(routes)))
    assert [route.priority for route in turn] == [priority for priority, _ in ordered]
    for priority in {route.priority for route in turn}:
        weights = [bool(route.weight) for route in turn if route.priority == priority]
        assert weights == sorted(weights, reverse=True)


def test_retries_are_a_fifth_of_the_calls_beside_a_few_that_are_always_left() -> None:
    budget = RetryBudget()

    spent = sum(budget.take() for _ in range(100))
    for _ in range(50):
        budget.call()
    earned = sum(budget.take() for _ in range(100))

    assert spent == RetryBudget.MOST
    assert earned == 50 * RetryBudget.PER_CALL
