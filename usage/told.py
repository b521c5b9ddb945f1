"""What an account was told of its use, so that nobody is told twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

import psycopg
from django.db import models
from django.utils import timezone

from usage.arrays import arrays

_NEW = """
INSERT INTO usage_usagealert (account_id, api_key_id, name, amount, begins_on, threshold, told_at)
SELECT *, now() FROM
unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::date[], %s::smallint[])
ON CONFLICT DO NOTHING RETURNING account_id, api_key_id, name, amount, begins_on, threshold
"""


class UsageAlert(models.Model):
    """An account was told that it reached ``threshold`` percent of a limit.

    ``api_key_id`` is 0 where the limit is the account's. A limit of another ``amount``, as after
    an upgrade, is another limit.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    api_key_id = models.BigIntegerField()
    name = models.CharField(max_length=40)
    amount = models.BigIntegerField()
    begins_on = models.DateField()  # the window; a lifetime begins in 1970
    threshold = models.PositiveSmallIntegerField()
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "api_key_id", "name", "amount", "begins_on", "threshold"],
                name="usage_alert_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.threshold} % of {self.name} on {self.begins_on}"


class Alert(NamedTuple):
    """One thing to tell, in the columns of a UsageAlert."""

    account_id: int
    api_key_id: int
    name: str
    amount: int
    begins_on: date
    threshold: int


def first_told(cursor: psycopg.Cursor[Any], alerts: Iterable[Alert]) -> list[Alert]:
    """Those of ``alerts``, of which there is one at least, that nobody was told before; in order.

    Of two transactions that tell the same, the second waits for the first, and is not one of
    these.
    """
    cursor.execute(_NEW, arrays(sorted(alerts)))
    return sorted(Alert(*row) for row in cursor)
