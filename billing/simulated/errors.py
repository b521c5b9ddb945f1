"""What the API answers when it says no, in Stripe's shape.

StripeError
├── InvalidRequest          400, or 404 where an object is missing
│   └── NoSuchObject
├── NotAuthenticated        401
├── CardError               402; nothing has happened
│   └── AttemptFailed       402; the attempt is on record
└── KeyReused               400, an idempotency key with other parameters
"""

from typing import Any


class StripeError(Exception):
    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, *, code: str = "", param: str = "", **more: Any) -> None:
        super().__init__(message)
        named = {"code": code, "param": param, **more}
        self.document: dict[str, Any] = {
            "message": message,
            "type": self.type,
            **{name: value for name, value in named.items() if value},
        }


class InvalidRequest(StripeError):
    pass


class NoSuchObject(InvalidRequest):
    status = 404

    def __init__(self, kind: str, given: str, param: str = "id") -> None:
        message = f"There is no {kind.replace('.', ' ').replace('_', ' ')} {given!r}."
        super().__init__(message, code="resource_missing", param=param)


class NotAuthenticated(StripeError):
    status = 401


class CardError(StripeError):
    status = 402
    type = "card_error"


class AttemptFailed(CardError):
    pass


class KeyReused(StripeError):
    type = "idempotency_error"
