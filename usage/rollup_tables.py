"""The rollups in PostgreSQL: sums are added to what is there, never written over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import psycopg

from usage.arrays import arrays
from usage.models import EndUserDay, EndUserHour, ErrorHour, HourlySums, UsageHour
from usage.rollups import (
    COUNTS,
    HISTOGRAMS,
    MOST_NAMES,
    Counts,
    NamedKey,
    Rollups,
    by_day,
    with_rest,
)

TYPES = {"hour": "timestamptz", "model": "text", "endpoint": "text", "name": "text"}
NAMES = 0x6E616D65  # advisory locks, with the table's number: who gives names, stripe by stripe
STRIPES = 64  # accounts that share a lock
AccountHour = tuple[int, datetime]


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of rollup: where it lies, and what its rows are told apart by."""

    model: type[HourlySums]
    key: tuple[str, ...]
    arrays: tuple[str, ...] = ()
    number: int = 0

    @property
    def columns(self) -> list[str]:
        return [*COUNTS, *self.arrays]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    def adding(self) -> str:
        """The statement that adds sums, given as one array for each column."""
        types = [*(TYPES.get(name, "bigint") for name in self.key), *["bigint"] * len(COUNTS)]
        types += ["text"] * len(self.arrays)
        key, into = ", ".join(self.key), ", ".join([*self.key, *self.columns])
        given = ", ".join([key, *COUNTS, *(f"{name}::bigint[]" for name in self.arrays)])
        sums = [f"{name} = old.{name} + excluded.{name}" for name in COUNTS]
        sums += [f"{n} = usage_add_histograms(old.{n}, excluded.{n})" for n in self.arrays]
        return f"""
INSERT INTO {self.name} AS old ({into})
SELECT {given} FROM unnest({", ".join(f"%s::{type_}[]" for type_ in types)}) AS new ({into})
ON CONFLICT ({key}) DO UPDATE SET {", ".join(sums)}
"""  # noqa: S608, nothing but names of columns is put together here


WHERE = ("api_key_id", "model", "endpoint")
HOURS = Table(UsageHour, ("account_id", "hour", *WHERE), tuple(HISTOGRAMS))
END_USERS = Table(EndUserHour, ("account_id", "hour", "name", *WHERE), number=1)
END_USER_DAYS = Table(EndUserDay, ("account_id", "hour", "name"))
ERRORS = Table(ErrorHour, END_USERS.key, number=2)
TABLES = (HOURS, END_USERS, END_USER_DAYS, ERRORS)
_ADD = {table.name: table.adding() for table in TABLES}
_counts_of, _arrays_of = attrgetter(*COUNTS), attrgetter(*HISTOGRAMS)


def add(cursor: psycopg.Cursor[Any], rollups: Rollups) -> None:
    """Add these sums, table by table and in the order of their keys, so that nobody deadlocks."""
    _add(cursor, HOURS, rollups.hours)
    end_users = _with_rest(cursor, END_USERS, rollups.end_users)
    _add(cursor, END_USERS, end_users)
    _add(cursor, END_USER_DAYS, by_day(end_users))
    _add(cursor, ERRORS, _with_rest(cursor, ERRORS, rollups.errors))


def _with_rest(
    cursor: psycopg.Cursor[Any], table: Table, named: dict[NamedKey, Counts]
) -> dict[NamedKey, Counts]:
    return with_rest(named, _names_kept(cursor, table, named)) if named else {}


def _add(cursor: psycopg.Cursor[Any], table: Table, sums: Mapping[Any, Counts]) -> None:
    if sums:
        rows = [(*key, *_as_columns(table, sums[key])) for key in sorted(sums)]
        cursor.execute(_ADD[table.name], arrays(rows))


def _as_columns(table: Table, sums: Counts) -> Sequence[Any]:
    counts: tuple[int, ...] = _counts_of(sums)
    return (*counts, *map(_as_array, _arrays_of(sums))) if table.arrays else counts


def _as_array(histogram: list[int]) -> str:
    """As PostgreSQL writes it: arrays of arrays would all have to be of one length."""
    return "{" + ",".join(map(str, histogram)) + "}"


def _names_kept(
    cursor: psycopg.Cursor[Any], table: Table, named: Mapping[NamedKey, Counts]
) -> dict[AccountHour, set[str]]:
    """Which of these names have rows of their own: all that already do, and new ones while
    there is room.

    Whoever gives names first locks out who would give some to the same accounts, and looks again:
    a name is kept from its first call in an hour on, or not at all.
    """
    asked = dict.fromkeys(key[:3] for key in named)
    kept = _known(cursor, table, list(asked))
    new = [triple for triple in asked if triple[2] not in kept.get(triple[:2], ())]
    if not new:
        return kept
    for stripe in sorted({account_id % STRIPES for account_id, _, _ in new}):
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NAMES + table.number, stripe])
    kept = _known(cursor, table, list(asked))
    taken = _how_many(cursor, table, list({triple[:2] for triple in new}))
    for account_id, hour, name in new:
        moment = account_id, hour
        names = kept.setdefault(moment, set())
        if name not in names and taken.get(moment, 0) < MOST_NAMES:
            names.add(name)
            taken[moment] = taken.get(moment, 0) + 1
    return kept


def _known(
    cursor: psycopg.Cursor[Any], table: Table, asked: list[tuple[int, datetime, str]]
) -> dict[AccountHour, set[str]]:
    cursor.execute(
        f"""
SELECT position
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) WITH ORDINALITY
AS asked (account_id, hour, name, position)
WHERE EXISTS (SELECT FROM {table.name} AS rollup WHERE rollup.account_id = asked.account_id
              AND rollup.hour = asked.hour AND rollup.name = asked.name)
""",  # noqa: S608, the name of a table
        arrays(asked),
    )
    kept: dict[AccountHour, set[str]] = {}
    for (position,) in cursor:
        account_id, hour, name = asked[position - 1]
        kept.setdefault((account_id, hour), set()).add(name)
    return kept


def _how_many(
    cursor: psycopg.Cursor[Any], table: Table, moments: list[AccountHour]
) -> dict[AccountHour, int]:
    """How many names these hours have. Without the rest, which is none."""
    cursor.execute(
        f"""
SELECT position, count(DISTINCT name)
FROM unnest(%s::bigint[], %s::timestamptz[]) WITH ORDINALITY
AS asked (account_id, hour, position)
JOIN {table.name} AS rollup USING (account_id, hour) WHERE name <> '' GROUP BY 1
""",  # noqa: S608, the name of a table
        arrays(moments),
    )
    return {moments[position - 1]: number for position, number in cursor}
