"""What a client can ask Keyplex about itself, its account, and what happened to it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from openai import AsyncOpenAI, OpenAI
from typing_extensions import TypedDict, Unpack

from keyplex.types import AsyncEventPage, Event, EventPage, Key, Limits, Usage

if TYPE_CHECKING:
    from openai._base_client import AsyncPaginator

Moment = str | int | date


class UsageQuery(TypedDict, total=False):
    """A moment is a date or a datetime, either of them in ISO 8601, or Unix seconds."""

    start: Moment | None
    end: Moment | None
    api_key_id: int | None
    model: str | None
    endpoint: str | None
    group_by: str | None


class EventQuery(TypedDict, total=False):
    """Events after the one with the id ``after``, of one ``type``; ``limit`` is of one page."""

    after: str | None
    limit: int | None
    type: str | None


class UsageResource:
    def __init__(self, client: OpenAI) -> None:
        self._client = client

    def retrieve(self, **asked: Unpack[UsageQuery]) -> Usage:
        """What the account used, in whole hours; from the beginning of the billing period."""
        return self._client.get("/usage", cast_to=Usage, options=query(**asked))


class AsyncUsageResource:
    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def retrieve(self, **asked: Unpack[UsageQuery]) -> Usage:
        """What the account used, in whole hours; from the beginning of the billing period."""
        return await self._client.get("/usage", cast_to=Usage, options=query(**asked))


class LimitsResource:
    def __init__(self, client: OpenAI) -> None:
        self._client = client

    def retrieve(self) -> Limits:
        """Every limit, with what is used and left of it. To ask uses nothing."""
        return self._client.get("/limits", cast_to=Limits)


class AsyncLimitsResource:
    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def retrieve(self) -> Limits:
        """Every limit, with what is used and left of it. To ask uses nothing."""
        return await self._client.get("/limits", cast_to=Limits)


class KeyResource:
    def __init__(self, client: OpenAI) -> None:
        self._client = client

    def retrieve(self) -> Key:
        """What the key of this client may do, for whom, and on which plan."""
        return self._client.get("/key", cast_to=Key)


class AsyncKeyResource:
    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def retrieve(self) -> Key:
        """What the key of this client may do, for whom, and on which plan."""
        return await self._client.get("/key", cast_to=Key)


class EventsResource:
    def __init__(self, client: OpenAI) -> None:
        self._client = client

    def list(self, **asked: Unpack[EventQuery]) -> EventPage:
        """What happened to the account, in order."""
        return self._client.get_api_list(
            "/events", model=Event, page=EventPage, options=query(**asked)
        )


class AsyncEventsResource:
    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    def list(self, **asked: Unpack[EventQuery]) -> AsyncPaginator[Event, AsyncEventPage]:
        """What happened to the account, in order: a page to await, or events to iterate over."""
        return self._client.get_api_list(
            "/events", model=Event, page=AsyncEventPage, options=query(**asked)
        )


def query(**asked: Any) -> Any:
    """The parameters that were given, as the OpenAI client takes them."""
    given = {name: value for name, value in asked.items() if value is not None}
    return {"params": {name: written(value) for name, value in given.items()}}


def written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def explanation_of(request_id: str) -> str:
    return f"/explain/{quote(request_id, safe='')}"
