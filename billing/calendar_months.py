"""Months as contracts count them: the same day of a later month, or its last one."""

from calendar import monthrange
from datetime import UTC, datetime


def after_months(moment: datetime, months: int) -> datetime:
    """
    >>> after_months(datetime(2027, 1, 31, 9, tzinfo=UTC), 1).isoformat()
    '2027-02-28T09:00:00+00:00'
    """
    moment = moment.astimezone(UTC)
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
