"""OpenAI's clients, pointed at Keyplex, with what Keyplex has beside the models."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

import openai

from keyplex import _resources as resources
from keyplex._errors import APIStatusError, ours
from keyplex.types import Explanation


def settings(base_url: str | None, api_key: Any) -> dict[str, Any]:
    """Where and as whom to ask, said or from the environment. Raises OpenAIError."""
    base_url = base_url or os.environ.get("KEYPLEX_BASE_URL")
    api_key = api_key or os.environ.get("KEYPLEX_API_KEY")
    if not base_url:
        raise openai.OpenAIError(
            "Where is Keyplex? Give base_url, or set KEYPLEX_BASE_URL, to an address such as "
            "https://keyplex.example/v1."
        )
    if not api_key:
        raise openai.OpenAIError("The API key is missing. Give api_key, or set KEYPLEX_API_KEY.")
    return {"base_url": base_url, "api_key": api_key}


class Keyplex(openai.OpenAI):
    """A client of Keyplex: everything of ``openai.OpenAI``, and usage, limits, key and events.

    Where it asks and as whom comes from the arguments, or else from KEYPLEX_BASE_URL and
    KEYPLEX_API_KEY; what the environment says for OpenAI is not sent. Other options are those of
    ``openai.OpenAI``.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | Callable[[], str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options, **settings(base_url, api_key))
        self.organization = self.project = self.admin_api_key = None
        self._custom_headers = options.get("default_headers") or {}

    @cached_property
    def usage(self) -> resources.UsageResource:
        return resources.UsageResource(self)

    @cached_property
    def limits(self) -> resources.LimitsResource:
        return resources.LimitsResource(self)

    @cached_property
    def key(self) -> resources.KeyResource:
        return resources.KeyResource(self)

    @cached_property
    def events(self) -> resources.EventsResource:
        return resources.EventsResource(self)

    def explain(self, request_id: str) -> Explanation:
        """Why a request of the account went as it did."""
        return self.get(resources.explanation_of(request_id), cast_to=Explanation)

    def _make_status_error(self, err_msg: str, *, body: object, response: Any) -> APIStatusError:
        return ours(super()._make_status_error(err_msg, body=body, response=response))


class AsyncKeyplex(openai.AsyncOpenAI):
    """As Keyplex, for programs that await."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | Callable[[], Awaitable[str]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options, **settings(base_url, api_key))
        self.organization = self.project = self.admin_api_key = None
        self._custom_headers = options.get("default_headers") or {}

    @cached_property
    def usage(self) -> resources.AsyncUsageResource:
        return resources.AsyncUsageResource(self)

    @cached_property
    def limits(self) -> resources.AsyncLimitsResource:
        return resources.AsyncLimitsResource(self)

    @cached_property
    def key(self) -> resources.AsyncKeyResource:
        return resources.AsyncKeyResource(self)

    @cached_property
    def events(self) -> resources.AsyncEventsResource:
        return resources.AsyncEventsResource(self)

    async def explain(self, request_id: str) -> Explanation:
        """Why a request of the account went as it did."""
        return await self.get(resources.explanation_of(request_id), cast_to=Explanation)

    def _make_status_error(self, err_msg: str, *, body: object, response: Any) -> APIStatusError:
        return ours(super()._make_status_error(err_msg, body=body, response=response))
