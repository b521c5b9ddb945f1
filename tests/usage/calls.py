"""Calls as a gateway writes them down."""

import os
import time
from typing import Any

from usage.journal import Final, Intent


def new_id(now: float | None = None) -> str:
    return f"req_{int((now or time.time()) * 1000):012x}{os.urandom(8).hex()}"


def make_intent(request_id: str = "", **fields: Any) -> Intent:
    started_at = fields.pop("started_at", time.time())
    defaults: dict[str, Any] = {
        "account_id": 1,
        "api_key_id": 1,
        "model": "keyplex/echo",
        "prompt_tokens": 10,
    }
    return Intent(request_id or new_id(started_at), started_at, **(defaults | fields))


def make_final(request_id: str = "", **fields: Any) -> Final:
    started_at = fields.pop("started_at", time.time())
    defaults: dict[str, Any] = {
        "account_id": 1,
        "api_key_id": 1,
        "model": "keyplex/echo",
        "lease": "reserved",
    }
    return Final(request_id or new_id(started_at), started_at, **(defaults | fields))
