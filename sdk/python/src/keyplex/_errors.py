"""The errors of the OpenAI client, with what Keyplex says beside the words.

    openai.APIError
    └── APIStatusError                 retry_after, rate_limits, rate_limit_scope
        ├── BadRequestError            400
        │   └── ContextLengthError     400  the prompt is too long for the model
        ├── AuthenticationError        401
        ├── PermissionDeniedError      403
        ├── NotFoundError              404
        ├── ConflictError              409
        ├── UnprocessableEntityError   422
        ├── RateLimitError             429
        └── InternalServerError        500 and more
            └── ModelError             503  nobody could serve the model just now

Each is the OpenAI error of its name as well: ``except openai.RateLimitError`` catches ours.
"""

from __future__ import annotations

import math

import openai

from keyplex._rate_limits import RateLimit, rate_limits


class APIStatusError(openai.APIStatusError):
    """Keyplex said no: ``status_code``, ``type``, ``code``, ``param``, and ``request_id``."""

    @property
    def retry_after(self) -> float | None:
        """In how many seconds to try again, where that helps and is known."""
        try:
            seconds = float(self.response.headers.get("retry-after", ""))
        except ValueError:
            return None
        return seconds if math.isfinite(seconds) and seconds >= 0 else None

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """Every limit that the answer told of, by name: ``requests``, ``tokens-day`` …"""
        return rate_limits(self.response.headers)

    @property
    def rate_limit_scope(self) -> str | None:
        """Whose limit is the tightest: of the ``account``, or the ``key``'s own."""
        return self.response.headers.get("x-ratelimit-scope")


class BadRequestError(openai.BadRequestError, APIStatusError):
    pass


class ContextLengthError(BadRequestError):
    """The prompt is longer than the model's context window."""


class AuthenticationError(openai.AuthenticationError, APIStatusError):
    pass


class PermissionDeniedError(openai.PermissionDeniedError, APIStatusError):
    pass


class NotFoundError(openai.NotFoundError, APIStatusError):
    pass


class ConflictError(openai.ConflictError, APIStatusError):
    pass


class UnprocessableEntityError(openai.UnprocessableEntityError, APIStatusError):
    pass


class RateLimitError(openai.RateLimitError, APIStatusError):
    pass


class InternalServerError(openai.InternalServerError, APIStatusError):
    pass


class ModelError(InternalServerError):
    """No provider could serve the model just now."""


OF_TYPE: dict[str | None, type[APIStatusError]] = {
    "context_length_error": ContextLengthError,
    "model_error": ModelError,
}
OF_CLASS: dict[type[openai.APIStatusError], type[APIStatusError]] = {
    openai.BadRequestError: BadRequestError,
    openai.AuthenticationError: AuthenticationError,
    openai.PermissionDeniedError: PermissionDeniedError,
    openai.NotFoundError: NotFoundError,
    openai.ConflictError: ConflictError,
    openai.UnprocessableEntityError: UnprocessableEntityError,
    openai.RateLimitError: RateLimitError,
    openai.InternalServerError: InternalServerError,
}


def ours(error: openai.APIStatusError) -> APIStatusError:
    """The same error, of the class of ours that says most."""
    kind = OF_TYPE.get(error.type) or OF_CLASS.get(type(error), APIStatusError)
    return kind(error.message, response=error.response, body=error.body)
