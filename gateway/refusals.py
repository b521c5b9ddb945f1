"""What a provider's refusal means for our client, who never sees its secrets or addresses."""

import email.utils
import re
import time
from typing import Any

import msgspec
from django.conf import settings

from gateway.errors import (
    APIError,
    ContextTooLong,
    InvalidRequest,
    ModelUnavailable,
    UpstreamFailed,
    UpstreamLimited,
)
from gateway.upstream import SHUT, Answer, UpstreamBroken

OURS = "|".join(prefix[:-1] for prefix in settings.PRODUCT.prefixes)
SECRETS = re.compile(
    rf"\b({OURS}|sk|rk|pk|key|whsec)[-_][A-Za-z0-9_-]{{8,}}|\bAIza[\w-]{{10,}}|\bBearer \S+"
    r"|https?://\S+|\b[\w-]+(\.[\w-]+)*\.(com|ai|net|io|org|dev|cn|eu)\b\S*|\b\d+(\.\d+){3}\b",
    re.IGNORECASE,
)
TOO_LONG = re.compile(
    r"context[ _-](length|size|window)|maximum context|too many tokens"
    r"|(prompt|input|request) is too (long|large)",
    re.IGNORECASE,
)
WORDS = ("error", "message", "detail", "msg")  # where providers put what they say
SWITCHED_OFF = "provider_switched_off"  # the code of what is cut off for it
OPERATORS = (401, 402, 403)  # trouble with our own account at the provider
LEAST, MOST, USUAL = 1, 60, 5  # seconds until a provider that limits us is asked again
_decode = msgspec.json.Decoder().decode


def as_error(trouble: APIError | UpstreamBroken) -> APIError:
    if isinstance(trouble, APIError):
        return trouble
    if trouble.reason == SHUT:
        return ModelUnavailable(
            "The model's provider was switched off while it answered; others may serve it.",
            code="provider_switched_off",
            retry_after=1,
        )
    return ModelUnavailable("The connection to the model broke.", code="upstream_interrupted")


async def refusal_of(answer: Answer, window: int | None) -> APIError:
    """What an answer other than 200 means. ``window`` is the model's, in tokens."""
    words = said((await answer.body())[:65536])
    return refusal(answer.status, words, window, retry_after=retry_after(answer))


def refusal_in(error: bytes, window: int | None = None) -> APIError:
    """What an error in the body of a 200 means: its code is a status, or it is a failure."""
    words = said(error)
    try:
        code = _decode(error).get("code")
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError):
        code = None
    if isinstance(code, int) and 400 <= code < 600:
        return refusal(code, words, window, retry_after=USUAL)
    return UpstreamFailed(told(words), code="upstream_error")


def refusal(status: int, words: str, window: int | None, *, retry_after: int) -> APIError:
    """A provider's status as ours: never its credentials' trouble as the client's."""
    if status == 429:
        return UpstreamLimited(
            "The model's provider is limiting requests; this is not your own limit.",
            retry_after=retry_after,
        )
    if status in (400, 413, 422) and TOO_LONG.search(words):
        return too_long(words, window)
    if status in (400, 404, 413, 422):
        return InvalidRequest(told(words), code="rejected_by_model")
    if status >= 500 or status in OPERATORS:
        return ModelUnavailable("The model is temporarily unavailable.")
    return UpstreamFailed(f"The model answered with an unexpected status {status}.")


def too_long(words: str, window: int | None) -> ContextTooLong:
    """In the words by which clients know it; with the provider's number if we have none."""
    numbers = [int(digits) for digits in re.findall(r"\d{3,12}", words)]
    most = window or min(numbers, default=None)
    length = f"{most} tokens" if most else "less than this prompt"
    return ContextTooLong(f"This model's maximum context length is {length}.", param="messages")


def retry_after(answer: Answer) -> int:
    """Whole seconds from now, within bounds, however the provider wrote them."""
    milliseconds, given = answer.header("retry-after-ms"), answer.header("retry-after")
    try:
        if milliseconds:
            seconds = float(milliseconds) / 1000
        elif given[:1].isalpha():
            seconds = email.utils.parsedate_to_datetime(given).timestamp() - time.time()
        else:
            seconds = float(given or USUAL)
        return int(max(LEAST, min(seconds, MOST)) + 0.999)
    except (ValueError, OverflowError):
        return USUAL


def told(words: str) -> str:
    """The provider's words, without anything that looks like a secret or an address."""
    if not words:
        return "The model refused the request."
    return "The model refused the request: " + without_secrets(words)[:500]


def without_secrets(words: str) -> str:
    return SECRETS.sub("…", words)


def said(body: bytes) -> str:
    """What a provider says in an error, of whatever shape; nothing if it says nothing."""
    try:
        return words_in(_decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def words_in(document: Any) -> str:
    if isinstance(document, str):
        return document
    if isinstance(document, list):
        return words_in(document[0]) if document else ""
    if isinstance(document, dict):
        return next((words for name in WORDS if (words := words_in(document.get(name)))), "")
    return ""
