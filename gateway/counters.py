"""What an account has used, from PostgreSQL: to restore counters that Redis has lost."""

from datetime import datetime

from gateway.limits import Spent
from usage import reports


def spent_by(account_id: int, now: datetime) -> Spent:
    """Requests and tokens of the UTC day and month of ``now``."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = reports.totals(account_id, midnight, now)
    month = reports.totals(account_id, midnight.replace(day=1), now)
    return Spent(today.admitted, today.tokens, month.admitted, month.tokens)
