"""An operator asks one route one question, and learns what helps."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.audit import CONSOLE, Action, AuditEntry
from gateway.models import LanguageModel, ModelRoute
from gateway.trial_call import TrialCall, Verdict, try_route
from tests.gateway.scripted import UPSTREAM, Scripted, scripted_provider
from usage.models import RequestLog

pytestmark = pytest.mark.django_db
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "OK."}}]}
CREDENTIAL = "abcdefgh12345678"


@pytest.fixture
def provider() -> Iterator[Scripted]:
    with scripted_provider() as provider:
        yield provider


def route_to(provider: Scripted, kind: str = "chat", **fields: Any) -> ModelRoute:
    """With a credential."""
    name = provider.serves(kind=kind, **fields)
    route = ModelRoute.objects.select_related("provider").get(model__model_id=name)
    route.provider.set_credential(CREDENTIAL, by=CONSOLE)
    return route


def ask(route: ModelRoute) -> TrialCall:
    return try_route(route, by=CONSOLE)


def test_a_route_that_answers_says_so_with_the_first_words(provider: Scripted) -> None:
    provider.says(ANSWER)

    call = ask(route_to(provider))

    assert call.ok
    assert (call.status, call.said, call.advice) == (200, "OK.", "")
    assert call.ms >= 0
    [heard] = provider.heard
    assert (heard["model"], heard["max_tokens"]) == (UPSTREAM, 5)


def test_it_is_asked_in_the_providers_words_with_the_models_parameters(provider: Scripted) -> None:
    provider.says(ANSWER)
    rules = [{"rename": {"max_tokens": "max_completion_tokens"}, "roles": {"user": "human"}}]

    ask(route_to(provider, rules=rules, parameters={"temperature": 0.5}))

    [heard] = provider.heard
    assert (heard["max_completion_tokens"], heard["temperature"]) == (5, 0.5)
    assert "max_tokens" not in heard
    assert heard["messages"][0]["role"] == "human"


@pytest.mark.parametrize(
    ("kind", "path", "answer", "said"),
    [
        ("completion", "completions", {"choices": [{"text": "OK."}]}, "OK."),
        ("embedding", "embeddings", {"data": [{"embedding": [0.5, 0.25]}]}, "2 numbers"),
        ("chat", "chat/completions", {"choices": [{"message": {"content": None}}]}, ""),
    ],
)
def test_each_kind_of_model_is_asked_in_its_way(
    provider: Scripted, kind: str, path: str, answer: object, said: str
) -> None:
    provider.says(answer)

    call = ask(route_to(provider, kind))

    assert (call.ok, call.said, provider.paths) == (True, said, [f"/v1/{path}"])


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, Verdict.WRONG_CREDENTIAL),
        (403, Verdict.WRONG_CREDENTIAL),
        (402, Verdict.NO_CREDIT),
        (404, Verdict.UNKNOWN_MODEL),
        (429, Verdict.LIMITED),
        (400, Verdict.REFUSED),
        (422, Verdict.REFUSED),
        (500, Verdict.FAILING),
        (529, Verdict.FAILING),
        (301, Verdict.FAILING),
    ],
)
def test_a_refusal_comes_with_its_words_and_with_advice(
    provider: Scripted, status: int, verdict: Verdict
) -> None:
    provider.says({"error": {"message": "That is not so."}}, status=status)

    call = ask(route_to(provider))

    assert (call.verdict, call.status, call.said) == (verdict, status, "That is not so.")
    assert not call.ok
    assert call.advice


def test_a_model_that_the_provider_does_not_know_is_told_from_other_mistakes(
    provider: Scripted,
) -> None:
    provider.says({"error": {"message": "Model not found: x", "code": 400}}, status=400)

    assert ask(route_to(provider)).verdict == Verdict.UNKNOWN_MODEL


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"{}", b"[]", b'{"choices":[]}', b'{"choices":7}']
)
def test_what_is_no_answer_is_called_nonsense(provider: Scripted, body: bytes) -> None:
    provider.says(body)

    assert ask(route_to(provider)).verdict == Verdict.NONSENSE


def test_an_error_in_an_answer_of_200_is_one(provider: Scripted) -> None:
    provider.says({"error": {"message": "overloaded"}})

    call = ask(route_to(provider))

    assert (call.verdict, call.said) == (Verdict.FAILING, "overloaded")


def test_a_provider_that_cannot_be_reached_is_told_from_one_that_is_silent(
    provider: Scripted,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider.base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        route = route_to(provider)
        route.provider.deadlines = {"first_byte": 0.2}
        late = ask(route)
    away = ask(route)

    assert (late.verdict, late.status) == (Verdict.TIMEOUT, None)
    assert (away.verdict, away.status) == (Verdict.UNREACHABLE, None)


def test_our_own_rules_may_be_what_refuses(provider: Scripted) -> None:
    call = ask(route_to(provider, rules=[{"refuse": ["max_tokens"]}]))

    assert call.verdict == Verdict.REFUSED
    assert "max_tokens" in call.said
    assert provider.bodies == []


def test_without_a_credential_nobody_is_asked(provider: Scripted) -> None:
    route = route_to(provider)
    route.provider.forget_credential(by=CONSOLE)
    route.provider.credential_env = "NOBODY_SET_THIS"

    assert ask(route).verdict == Verdict.NO_CREDENTIAL
    assert provider.bodies == []


def test_the_credential_is_never_shown_though_somebody_says_it_back(provider: Scripted) -> None:
    said = f"No such key: {CREDENTIAL}, see https://provider.example/keys"
    provider.says({"error": {"message": said}}, status=401)
    refused = ask(route_to(provider))
    provider.script.clear()
    provider.says({"choices": [{"message": {"content": f"I was given {CREDENTIAL}"}}]})
    answered = ask(route_to(provider))

    assert refused.said == "No such key: …, see …"
    assert answered.said == "I was given …"
    assert CREDENTIAL not in str(list(AuditEntry.objects.values()))


def test_what_is_switched_off_or_drained_can_be_tried(provider: Scripted) -> None:
    provider.says(ANSWER)
    route = route_to(provider)
    route.switch_off(by=CONSOLE)
    route.provider.drain(by=CONSOLE)
    route.provider.switch_off("It lied.", by=CONSOLE)
    LanguageModel.objects.get().switch_off(by=CONSOLE)

    assert ask(route).ok


def test_it_is_on_record_and_nobody_pays(provider: Scripted) -> None:
    provider.says({"error": {"message": "no"}}, status=429)
    route = route_to(provider)

    call = ask(route)

    entry = AuditEntry.objects.latest("number")
    assert (entry.action, entry.about) == (Action.ROUTE_TESTED, str(route))
    assert entry.details == {"result": "limited", "status": 429, "ms": call.ms}
    assert not RequestLog.objects.exists()
    assert "messages" in json.loads(provider.bodies[0])
