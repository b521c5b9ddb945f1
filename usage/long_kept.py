"""Which accounts have rows that the log keeps longer than others: noted where these are stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from django.db import models

_NOTE = """
INSERT INTO usage_longkept (account_id) SELECT unnest(%s::bigint[]) ON CONFLICT DO NOTHING
"""


class LongKept(models.Model):
    """An account that has or had such rows, whatever its plan says by now.

    Whoever asks for the rows of any other account can leave a year of tables aside.
    """

    account_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"account {self.account_id}"


def note(cursor: psycopg.Cursor[Any], account_ids: Iterable[int]) -> None:
    """In one order, so that two recorders that meet here do not wait for each other."""
    if wanted := sorted(set(account_ids)):
        cursor.execute(_NOTE, [wanted])
