"""Request ids as people type them: in capitals, without ``req_``, or only how they begin."""

import re
from datetime import timedelta

from usage.models import RequestLog, day_of

TYPED = re.compile(r"(?:req_)?([0-9a-f]{8,28})", re.ASCII | re.IGNORECASE)
PREFIX, DIGITS = "req_", 28
DAY = timedelta(days=1)


def id_meant(account_id: int, words: str) -> str:
    """The one id of this account that begins like this; empty for words that are no id.

    What says that it is an id, and is none of this account's, comes back as it should be written.
    """
    named, typed = words.lower().startswith(PREFIX), TYPED.fullmatch(words)
    if typed is None:
        return words if named else ""
    begins = PREFIX + typed[1].lower()
    found = [] if named and len(typed[1]) == DIGITS else _beginning(account_id, begins)
    return found[0] if len(found) == 1 else begins * named


def _beginning(account_id: int, begins: str) -> list[str]:
    """Two such ids at most. An id begins with its time, so few rows of others lie between."""
    first, last = (begins.ljust(len(PREFIX) + DIGITS, digit) for digit in "0f")
    if not (first_day := day_of(first)) or not (last_day := day_of(last)):
        return []
    days = (first_day - DAY, last_day + DAY)
    rows = RequestLog.objects.filter(request_id__range=(first, last), day__range=days)
    return list(rows.filter(account_id=account_id).values_list("request_id", flat=True)[:2])
