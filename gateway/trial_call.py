"""One small question to one route, for an operator: does it answer, and if not, what helps?

It is asked past routing and limits, also of a route or a provider that is switched off or drained;
no account pays for it, no log row tells of it, and the route is not judged by it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Raw

from accounts import audit
from accounts.audit import Action, Actor
from gateway.catalog import Route, credential_of, route_of
from gateway.dialects import spoken
from gateway.errors import InvalidRequest
from gateway.models import LanguageModel, ModelRoute
from gateway.raw_json import NULL, Fields, decode_fields, encode, valid
from gateway.refusals import said, without_secrets
from gateway.upstream import Answer, Upstream, UpstreamBroken

WITHIN = 30.0  # seconds, where the provider's own deadlines are longer
TOKENS = 5
SHOWN = 200  # characters of what was said
WORDS = "Say OK."
MESSAGE = {"role": "user", "content": WORDS}
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("chat/completions", {"messages": [MESSAGE], "max_tokens": TOKENS}),
    "completion": ("completions", {"prompt": WORDS, "max_tokens": TOKENS}),
    "embedding": ("embeddings", {"input": WORDS}),
}
WRONG_NAME = ("model_not_found", "model not found", "no such model", "unknown model")


class Verdict(StrEnum):
    ANSWERS = "answers"
    NO_CREDENTIAL = "no credential"
    WRONG_CREDENTIAL = "wrong credential"
    NO_CREDIT = "no credit"
    UNKNOWN_MODEL = "unknown model"
    LIMITED = "limited"
    REFUSED = "refused"
    FAILING = "failing"
    NONSENSE = "nonsense"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"


ADVICE = {
    Verdict.ANSWERS: "",
    Verdict.NO_CREDENTIAL: "Set the credential of this provider.",
    Verdict.WRONG_CREDENTIAL: "The provider does not take our credential. Set the right one.",
    Verdict.NO_CREDIT: "Our account at the provider has no credit. Top it up there.",
    Verdict.UNKNOWN_MODEL: (
        "The provider has no model of this name for us, or nothing at this address. "
        "Correct the catalogue file, or have the model enabled in our account there."
    ),
    Verdict.LIMITED: "The provider limits us. Wait, or ask it for a higher limit.",
    Verdict.REFUSED: (
        "The provider does not take the request as we word it. "
        "Correct its rules, or the model's parameters, in the catalogue file."
    ),
    Verdict.FAILING: "The trouble is the provider's. Its status page may know more.",
    Verdict.NONSENSE: (
        "What came back is no answer of such a model. "
        "Check the provider's address and the model's kind."
    ),
    Verdict.TIMEOUT: "Nothing came in time. Try again; if it stays so, give it longer deadlines.",
    Verdict.UNREACHABLE: "Check the address of the provider and the network of this host.",
}
STATUSES = {
    401: Verdict.WRONG_CREDENTIAL,
    402: Verdict.NO_CREDIT,
    403: Verdict.WRONG_CREDENTIAL,
    404: Verdict.UNKNOWN_MODEL,
    429: Verdict.LIMITED,
}
REASONS = {
    "an address or a key that makes no sense": Verdict.UNREACHABLE,
    "no connection": Verdict.UNREACHABLE,
    "connection broken": Verdict.FAILING,
    "timeout": Verdict.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class TrialCall:
    """What came of it. ``said`` is the beginning of what the model or the provider said.

    ``status`` is None where no answer came, ``ms`` the time until it was whole.
    """

    verdict: Verdict
    status: int | None = None
    ms: int = 0
    said: str = ""

    @property
    def ok(self) -> bool:
        return self.verdict == Verdict.ANSWERS

    @property
    def advice(self) -> str:
        return ADVICE[self.verdict]


class Message(msgspec.Struct):
    content: Any = None  # a text, or parts of one


class Choice(msgspec.Struct):
    message: Message = msgspec.field(default_factory=Message)
    text: str | None = None


class Vector(msgspec.Struct):
    embedding: list[float] | str


class Reply(msgspec.Struct):
    """What we look at in an answer of any kind of model."""

    choices: list[Choice] = []
    data: list[Vector] = []
    error: Raw = NULL


def try_route(row: ModelRoute, *, by: Actor) -> TrialCall:
    """Ask, wait for the answer, and put it on record. For threads without an event loop."""
    route = route_of(row, credential_of(row.provider))
    if route.credential is None:
        call = TrialCall(Verdict.NO_CREDENTIAL)
    else:
        call = asyncio.run(ask(route, row.model))
    told = {"result": str(call.verdict), "status": call.status, "ms": call.ms}
    audit.record(None, Action.ROUTE_TESTED, by=by, about=str(row), **told)
    return call


async def ask(route: Route, model: LanguageModel) -> TrialCall:
    upstream, began = Upstream(), time.perf_counter()
    status, words = None, ""
    try:
        path, body = question(route, model)
        async with upstream.post(route, path, body, within=WITHIN) as answer:
            status = answer.status
            verdict, words = await heard(answer)
    except InvalidRequest as error:  # the catalogue's own rules do not let it through
        verdict, words = Verdict.REFUSED, error.message
    except UpstreamBroken as trouble:
        verdict = verdict_on(trouble)
    finally:
        await upstream.close()
    ms = int((time.perf_counter() - began) * 1000)
    return TrialCall(verdict, status, ms, shown(words, route))


def question(route: Route, model: LanguageModel) -> tuple[str, bytes]:
    """The address and the body, in the provider's words. Raises InvalidRequest."""
    path, asked = QUESTIONS[model.kind]
    request: Fields = decode_fields(encode({"model": route.upstream_model, **asked}))
    spoken(request, route.rules, model.parameters)
    return path, encode(request)


async def heard(answer: Answer) -> tuple[Verdict, str]:
    """Raises UpstreamBroken."""
    body = await answer.body()
    if answer.status != 200:
        return refused(answer.status, said(body[:65536]))
    try:
        reply = msgspec.json.decode(valid(body), type=Reply)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Verdict.NONSENSE, ""
    if reply.error != NULL:
        return refused(500, said(bytes(reply.error)))
    if reply.data:
        return Verdict.ANSWERS, f"{len(reply.data[0].embedding):,} numbers"
    if not reply.choices:
        return Verdict.NONSENSE, ""
    choice = reply.choices[0]
    return Verdict.ANSWERS, str(choice.text or choice.message.content or "")


def refused(status: int, words: str) -> tuple[Verdict, str]:
    if any(name in words.lower() for name in WRONG_NAME):
        return Verdict.UNKNOWN_MODEL, words
    usual = Verdict.REFUSED if 400 <= status < 500 else Verdict.FAILING
    return STATUSES.get(status, usual), words


def verdict_on(trouble: UpstreamBroken) -> Verdict:
    return REASONS.get(trouble.reason, Verdict.NONSENSE)


def shown(words: str, route: Route) -> str:
    """The beginning of it, without our credential, should somebody have said it back."""
    if route.credential:
        words = words.replace(route.credential, "…")
    return without_secrets(words)[:SHOWN]
