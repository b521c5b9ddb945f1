"""Every refusal, in one shape.

    APIError
    ├── InvalidRequest        400  invalid_request_error
    │   ├── UnknownEndpoint   404
    │   ├── WrongMethod       405
    │   ├── BodyTooLarge      413
    │   ├── AddressTooLong    414
    │   ├── WrongContentType  415
    │   ├── HeadersTooLarge   431
    │   ├── UnknownModel      404  code invalid_model; a product may want 400
    │   ├── UnknownRequest    404
    │   └── ContextTooLong    400  context_length_error
    ├── NotAuthenticated      401  authentication_error
    ├── NotPermitted          403  permission_error
    ├── RateLimited           429  rate_limit_error
    │   └── UpstreamLimited   429  the provider's limit, not the caller's
    ├── UpstreamFailed        500  server_error, the model's answer made no sense
    ├── ModelUnavailable      503  model_error, nobody could serve the model now
    └── Unavailable           503  server_error, trouble of ours

The body is the seed's: ``{"error": {type, code, message, param, request_id}}``, all keys always.
"""

import msgspec
from django.conf import settings

_encode = msgspec.json.Encoder().encode
Headers = list[tuple[bytes, bytes]]


class APIError(Exception):
    """A refusal: its status, its words, and the headers that belong to it."""

    status = 500
    type = "server_error"
    code: str | None = "internal_error"
    outcome = "upstream_error"  # what the log row says
    retry_after: int | None = None
    should_retry: bool | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
        should_retry: bool | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or self.code
        self.status = status or self.status
        self.retry_after = self.retry_after if retry_after is None else retry_after
        self.should_retry = self.should_retry if should_retry is None else should_retry

    def body(self, request_id: str) -> bytes:
        """The documented envelope as JSON."""
        return _encode(
            {
                "error": {
                    "type": self.type,
                    "code": self.code,
                    "message": self.message,
                    "param": self.param,
                    "request_id": request_id,
                }
            }
        )

    def headers(self) -> Headers:
        """``Retry-After`` in whole seconds with its finer twin, and advice for SDKs that retry."""
        headers: Headers = []
        if self.retry_after is not None:
            headers.append((b"retry-after", b"%d" % self.retry_after))
            headers.append((b"retry-after-ms", b"%d" % (self.retry_after * 1000)))
        if self.should_retry is not None:
            headers.append((b"x-should-retry", b"true" if self.should_retry else b"false"))
        return headers


class InvalidRequest(APIError):
    status = 400
    type = "invalid_request_error"
    code = "invalid_request"
    outcome = "client_error"


class UnknownEndpoint(InvalidRequest):
    status = 404
    code = "unknown_endpoint"


class WrongMethod(InvalidRequest):
    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message)
        self.allow = allow

    def headers(self) -> Headers:
        return [(b"allow", self.allow.encode())]


class BodyTooLarge(InvalidRequest):
    status = 413
    code = "body_too_large"


class AddressTooLong(InvalidRequest):
    status = 414
    code = "address_too_long"


class HeadersTooLarge(InvalidRequest):
    status = 431
    code = "headers_too_large"


class WrongContentType(InvalidRequest):
    status = 415
    code = "unsupported_media_type"


class UnknownRequest(InvalidRequest):
    status = 404
    code = "unknown_request"


class UnknownModel(InvalidRequest):
    """There is none of the name that was ``asked`` for, which is fit to be kept."""

    status = settings.PRODUCT.unknown_model
    code = "invalid_model"

    def __init__(self, asked: str) -> None:
        super().__init__(f"The model '{asked[:100]}' does not exist.", param="model")
        self.asked = asked


class ContextTooLong(InvalidRequest):
    type = "context_length_error"
    code = "context_length_exceeded"


class NotAuthenticated(APIError):
    status = 401
    outcome = "client_error"
    type = "authentication_error"
    code = "invalid_api_key"

    def headers(self) -> Headers:
        return [(b"www-authenticate", b"Bearer")]


class NotPermitted(APIError):
    status = 403
    outcome = "client_error"
    type = "permission_error"
    code = "insufficient_scope"


class RateLimited(APIError):
    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    outcome = "refused"


class UpstreamLimited(RateLimited):
    code = "upstream_rate_limited"
    outcome = "upstream_error"


class UpstreamFailed(APIError):
    status = 500
    code = "invalid_upstream_response"


class ModelUnavailable(APIError):
    status = 503
    type = "model_error"
    code = "model_unavailable"
    retry_after = 5


class Unavailable(APIError):
    status = 503
    code = "service_unavailable"
    outcome = "refused"
    retry_after = 1


class ClientLeft(Exception):
    """The client hung up; there is nobody to answer."""
