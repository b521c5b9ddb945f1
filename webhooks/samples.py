"""What events look like: the data of a test event, and of the examples in the docs."""

from typing import Any

from webhooks.event_types import EventType

_KEY = {
    "api_key_id": 42,
    "name": "Web site",
    "hint": "kpx_ab…wxyz",
    "environment": "production",
    "scopes": ["chat:write"],
    "created_at": "2025-12-01T09:00:00Z",
    "expires_at": None,
}
_USE = {
    "limit": 1_000_000,
    "period_end": "2025-12-31T23:59:59Z",
    "window": "day",
    "metric": "tokens",
    "soft": False,
    "api_key_id": None,
}
_PLAN = {"plan": "monthly", "period_start": "2025-12-01T00:00:00Z"}
SAMPLES: dict[EventType, dict[str, Any]] = {
    EventType.USAGE_THRESHOLD_REACHED: {"threshold": 80, "current_usage": 820_000, **_USE},
    EventType.USAGE_LIMIT_EXCEEDED: {"threshold": 100, "current_usage": 999_800, **_USE},
    EventType.API_KEY_CREATED: _KEY,
    EventType.API_KEY_REVOKED: _KEY | {"reason": "user"},
    EventType.SUBSCRIPTION_RENEWED: _PLAN | {"period_end": "2026-01-01T00:00:00Z"},
    EventType.SUBSCRIPTION_EXPIRED: _PLAN | {"period_end": "2026-01-01T00:00:00Z"},
}
