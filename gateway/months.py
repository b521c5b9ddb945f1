"""Days and months of UTC as the counters name them: by number, and by their first second."""

from datetime import UTC, datetime
from functools import lru_cache

DAY = 86400


@lru_cache(maxsize=4)
def next_month(day: int) -> int:
    """The first second of the month after that of a day, counted from 1970."""
    today = datetime.fromtimestamp(day * DAY, UTC)
    year, month = (today.year, today.month + 1) if today.month < 12 else (today.year + 1, 1)
    return month_of(datetime(year, month, 1, tzinfo=UTC))


def month_of(moment: datetime) -> int:
    """The first second of the UTC month, which also is its name."""
    return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp())
