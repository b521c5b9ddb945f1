"""What the Usage page says of months to which something was added after their end."""

from datetime import date
from zoneinfo import ZoneInfo

from django.utils import timezone

from dashboard.ranges import Range
from usage.adjustments import LateMonth, month_of
from usage.models import UsageAdjustment


def remarks(account_id: int, period: Range) -> list[str]:
    """A sentence for each month that the period reaches into. The present month has none."""
    now = timezone.now()
    if month_of(period.start) >= month_of(now):
        return []
    today = now.astimezone(period.zone).date()
    late = UsageAdjustment.objects.late_months(account_id, period.start, period.end)
    return [remark(month, today, period.zone) for month in late]


def remark(late: LateMonth, today: date, zone: ZoneInfo) -> str:
    """Months are those of UTC, as limits and plans count them; days are the viewer's."""
    what = "1 request" if late.requests == 1 else f"{late.requests:,} requests"
    were = "was" if late.requests == 1 else "were"
    first, last = (
        named(moment.astimezone(zone).date(), today, "%-d %B")
        for moment in (late.first_at, late.last_at)
    )
    when = f"on {first}" if first == last else f"between {first} and {last}"
    return f"{what} of {named(late.month, today, '%B')} {were} recorded late, {when}."


def named(day: date, today: date, form: str) -> str:
    """A day or a month, with its year unless that is the present one.

    >>> named(date(2026, 10, 1), date(2026, 11, 27), "%B")
    'October'
    >>> named(date(2025, 10, 3), date(2026, 11, 27), "%-d %B")
    '3 October 2025'
    """
    return day.strftime(form if day.year == today.year else f"{form} %Y")
