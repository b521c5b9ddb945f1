"""What a client must see of each misbehaviour, and what must be written down about it."""

import json
from dataclasses import dataclass, field

from tests.provider import PIECE, PROMPT_TOKENS
from tests.upstream.answers import TOKENS
from tests.upstream.behaviours_content import SECRET
from tests.upstream.exchange import Trace
from tests.upstream.reading import check_envelope, check_whole, read_stream, said_in
from tests.upstream.rig import Dish, Seen
from usage.models import RequestLog

TYPES = {
    400: "invalid_request_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "model_error",
}
NONSENSE = (500, 503)  # an answer that makes no sense, or one that broke off
MAX_TRIES = 3


class Expectation:
    """``check`` fails where client, row and provider do not fit together."""

    def check(self, dish: Dish, streamed: bool, seen: Seen, row: RequestLog) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Refused(Expectation):
    """An error before anything else, for which nothing is charged."""

    statuses: tuple[int, ...] = (503,)
    code: str | None = None
    retry_after: tuple[int, int] | None = None
    says: str | None = None

    def check(self, dish: Dish, streamed: bool, seen: Seen, row: RequestLog) -> None:
        assert seen.status in self.statuses, (seen.status, seen.body[:500])
        assert seen.headers["content-type"] == "application/json"
        document = json.loads(seen.body)
        check_envelope(document)
        error = document["error"]
        assert error["type"] == TYPES[seen.status], error
        assert error["request_id"] == seen.request_id
        assert self.code in (None, error["code"]), error
        assert self.says is None or self.says in error["message"], error
        assert row.status_code == seen.status
        assert row.outcome == ("client_error" if seen.status == 400 else "upstream_error")
        assert row.total_tokens == 0
        if seen.status in (429, 503):
            low, high = self.retry_after or (1, 60)
            assert low <= int(seen.headers["retry-after"]) <= high
        check_discreet(seen)


@dataclass(frozen=True)
class Broken(Expectation):
    """A stream of so many tokens that ends with a bare error, and without ``[DONE]``."""

    tokens: int

    def check(self, dish: Dish, streamed: bool, seen: Seen, row: RequestLog) -> None:
        assert seen.status == 200, (seen.status, seen.body[:500])
        assert seen.whole, "the connection broke instead of the stream telling its trouble"
        reading = read_stream(seen.body, dish.model, dish.kind)
        assert reading.text().get(0, "") == PIECE * self.tokens
        assert reading.error is not None, seen.body[-300:]
        assert reading.error["request_id"] == seen.request_id
        assert reading.error["type"] in TYPES.values()
        assert not reading.done
        assert row.outcome == "upstream_error"
        assert row.usage_source == "estimated" if self.tokens else row.total_tokens == 0
        assert abs(row.completion_tokens - self.tokens) <= self.tokens * 0.05
        check_discreet(seen)


@dataclass(frozen=True)
class Served(Expectation):
    """The right answer. ``said`` is its text by choice; counts come from ``sources``."""

    said: dict[int, str] = field(default_factory=lambda: {0: PIECE * TOKENS})
    tokens: int = TOKENS
    sources: tuple[str, ...] = ("provider",)
    by_spare: bool = False
    exact: bool = True

    def check(self, dish: Dish, streamed: bool, seen: Seen, row: RequestLog) -> None:
        assert seen.status == 200, (seen.status, seen.body[:500])
        assert seen.whole
        usage = self._streamed(dish, seen) if streamed else self._whole(dish, seen)
        assert (row.outcome, row.status_code) == ("ok", 200)
        assert row.usage_source in self.sources
        assert row.provider == dish.provider + "-spare" * self.by_spare
        if row.usage_source == "provider":
            assert row.prompt_tokens == PROMPT_TOKENS
        assert 0 < row.prompt_tokens < 20
        if self.exact:
            assert row.completion_tokens == (0 if dish.kind == "embeddings" else self.tokens)
        if usage:
            told = usage["prompt_tokens"], usage.get("completion_tokens", 0)
            assert told == (row.prompt_tokens, row.completion_tokens)
        check_discreet(seen)

    def _whole(self, dish: Dish, seen: Seen) -> dict[str, int] | None:
        assert seen.headers["content-type"].startswith("application/json")
        document = json.loads(seen.body)
        check_whole(document, dish.model, dish.kind)
        assert dish.kind == "embeddings" or said_in(document, dish.kind) == self.said
        usage: dict[str, int] | None = document.get("usage")
        return usage

    def _streamed(self, dish: Dish, seen: Seen) -> dict[str, int]:
        assert seen.headers["content-type"].startswith("text/event-stream")
        reading = read_stream(seen.body, dish.model, dish.kind)
        assert reading.text() == self.said
        assert reading.error is None
        assert reading.done
        assert set(reading.finishes()) == set(self.said)
        [usage] = reading.usages()
        assert usage == reading.events[-1]["usage"], "usage is not the last"
        return usage


@dataclass(frozen=True)
class Either(Expectation):
    """One of several honest answers."""

    choices: tuple[Expectation, ...]

    def check(self, dish: Dish, streamed: bool, seen: Seen, row: RequestLog) -> None:
        failures = []
        for choice in self.choices:
            try:
                return choice.check(dish, streamed, seen, row)
            except AssertionError as failure:
                failures.append(failure)
        raise AssertionError(failures)


def check_discreet(seen: Seen) -> None:
    """Nothing of the provider's shows: no key, no address, no name of its own."""
    said = seen.body.decode()
    for secret in (SECRET, "internal.zoo", "127.0.0.1", "secret-internal", "nginx", "zoo-"):
        assert secret not in said, said[:500]
    assert not {"zoo-origin", "zoo=1"} & set(seen.headers.values())


def check_tries(traces: list[Trace], times: int, *, once: bool) -> None:
    """A provider is asked again only where that is safe, and never for long."""
    allowed = times * (1 if once else MAX_TRIES)
    assert len(traces) <= allowed, f"asked {len(traces)} times"


TROUBLE = Either((Refused(NONSENSE), Broken(0)))
