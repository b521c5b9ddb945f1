"""What Keyplex answers where OpenAI has no answer of its own. Moments are in Unix seconds.

Fields are only ever added: one that is not listed here can be read all the same.
"""

from __future__ import annotations

from typing import Any

from openai import BaseModel
from openai.pagination import AsyncCursorPage, SyncCursorPage


class Limit(BaseModel):
    """A limit of the account or of the key alone; a soft one refuses nothing."""

    scope: str
    unit: str
    window: str
    soft: bool
    limit: int
    used: int
    remaining: int
    reset: int | None = None


class Limits(BaseModel):
    data: list[Limit]


class Account(BaseModel):
    id: int
    name: str


class Plan(BaseModel):
    id: str
    name: str
    status: str
    period_start: int | None = None
    period_end: int | None = None


class Key(BaseModel):
    """What a key may do; of the lists, ``None`` means everything, and of the moments, never."""

    id: int
    name: str
    hint: str
    environment: str
    scopes: list[str]
    models: list[str] | None = None
    endpoints: list[str] | None = None
    networks: list[str] | None = None
    created: int
    expires: int | None = None
    rotated: int | None = None
    last_used: int | None = None
    account: Account
    plan: Plan
    limits: list[Limit]


class Period(BaseModel):
    """ISO 8601, in UTC."""

    start: str
    end: str


class ModelUsage(BaseModel):
    requests: int
    tokens: int


class UsageTotals(BaseModel):
    total_requests: int
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    models: dict[str, ModelUsage]


class UsageGroup(BaseModel):
    """One of what was grouped by: that name holds which, the others are absent."""

    requests: int
    tokens: int
    prompt_tokens: int
    completion_tokens: int
    api_key_id: int | None = None
    endpoint: str | None = None
    end_user: str | None = None
    start: str | None = None


class Usage(BaseModel):
    """``groups`` is there if something else than the model was to be grouped by."""

    period: Period
    data: UsageTotals
    groups: list[UsageGroup] | None = None


class CheckedLimit(BaseModel):
    """A limit as the request met it: ``used`` by others before, ``remaining`` after it."""

    scope: str
    unit: str
    window: str
    soft: bool
    limit: int
    used: int
    asked: int
    remaining: int
    exceeded: bool
    reset: int | None = None
    passes_at: int | None = None


class Attempt(BaseModel):
    """A route to a model that was tried, or passed over, and how that ended."""

    provider: str
    outcome: str


class Refusal(BaseModel):
    type: str
    code: str | None = None
    message: str


class TokenUsage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    source: str


class Explanation(BaseModel):
    """Why a request went as it did."""

    request_id: str
    created: int
    endpoint: str
    model: str | None = None
    requested_model: str | None = None
    api_key_id: int
    status: int
    outcome: str
    meaning: str
    error: Refusal | None = None
    limits: list[CheckedLimit]
    passes: bool
    passes_at: int | None = None
    tokens_that_would_fit: int | None = None
    routes: list[Attempt]
    translated_to_chat: bool
    left_out: list[str]
    usage: TokenUsage
    latency_ms: int | None = None
    time_to_first_token_ms: int | None = None


class Event(BaseModel):
    """Something that happened to the account; ``data`` depends on ``type``.

    ``test`` is true of those that were sent from the page of an endpoint.
    """

    id: str
    type: str
    created: int
    data: dict[str, Any]
    sequence: int
    test: bool = False


class EventPage(SyncCursorPage[Event]):
    """Some events, the oldest first. To iterate goes on to the last event there is.

    ``next`` is what to say as ``after`` the next time.
    """

    next: str | None = None


class AsyncEventPage(AsyncCursorPage[Event]):
    """As EventPage."""

    next: str | None = None
