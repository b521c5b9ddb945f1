"""Billing periods: months that are counted from an anchor, and what a part of one costs."""

import calendar
from datetime import UTC, datetime

DAY = 24 * 3600
MONTHS = {"month": 1, "year": 12}


def months_later(anchor: int, months: int) -> int:
    """The same day so many months later, or the last day of a month that is too short for it.

    >>> january = int(datetime(2027, 1, 31, tzinfo=UTC).timestamp())
    >>> datetime.fromtimestamp(months_later(january, 1), UTC).date().isoformat()
    '2027-02-28'
    """
    start = datetime.fromtimestamp(anchor, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_end(anchor: int, months: int, start: int) -> int:
    """Where the period that begins at ``start`` ends, so that a short month shortens one only."""
    number = 1
    while (end := months_later(anchor, number * months)) <= start:
        number += 1
    return end


def share(amount: int, start: int, end: int, at: int) -> int:
    """The part of ``amount`` for the time from ``at`` to ``end``, to the second, half a cent up.

    >>> share(3000, 0, 30 * DAY, 10 * DAY)
    2000
    """
    left = max(0, min(end, end - at, end - start))
    return (2 * amount * left + (end - start)) // (2 * (end - start))
