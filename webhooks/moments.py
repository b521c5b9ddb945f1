"""Moments as the seed writes them (keyplex, lines 295 and 455): ISO 8601, UTC, whole seconds."""

from datetime import UTC, datetime


def written(moment: datetime) -> str:
    """
    >>> written(datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))
    '2025-12-31T23:59:59Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
