"""Keyplex for Python: the OpenAI client, with what Keyplex has beside it.

``Keyplex`` and ``AsyncKeyplex`` are OpenAI's clients, so everything that takes one of those takes
one of these. The errors are OpenAI's too, and know when to try again and what is left.
"""

from openai import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    InvalidWebhookSignatureError,
    OpenAIError,
)

from keyplex import types, webhooks
from keyplex._client import AsyncKeyplex, Keyplex
from keyplex._errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContextLengthError,
    InternalServerError,
    ModelError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from keyplex._rate_limits import RateLimit, rate_limits

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncKeyplex",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "ContextLengthError",
    "InternalServerError",
    "InvalidWebhookSignatureError",
    "Keyplex",
    "ModelError",
    "NotFoundError",
    "OpenAIError",
    "PermissionDeniedError",
    "RateLimit",
    "RateLimitError",
    "UnprocessableEntityError",
    "rate_limits",
    "types",
    "webhooks",
]
