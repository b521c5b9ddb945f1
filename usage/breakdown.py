"""Sums of a period broken down by model, key, endpoint or end user, for pages and ``/v1/usage``.

Whatever one breaks it down by, the groups add up to the same totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, ClassVar, Literal

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import (
    Aggregate,
    BigIntegerField,
    DateTimeField,
    F,
    Func,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    Value,
)

from usage.histograms import BUCKETS, add, add_to
from usage.models import EndUserDay, EndUserHour, ErrorHour, HourlySums, UsageHour
from usage.reports import Durations, Only, Totals, hours_of, read, sums
from usage.rollups import COUNTS, HISTOGRAMS

Dimension = Literal["model", "api_key_id", "endpoint", "end_user"]
Group = str | int | None  # None: calls that name no end user
Histograms = tuple[Group, list[int], list[int]]  # of latency, and of the time to the first token
COLUMNS = {"end_user": "name"}
NOTHING = Totals()


class StepOf(Func):
    """The number of the step that a moment lies in, from 1."""

    function = "width_bucket"
    output_field = IntegerField()

    def __init__(self, moment: str, beginnings: Sequence[datetime]) -> None:
        array = ArrayField(DateTimeField())
        super().__init__(F(moment), Value(list(beginnings), output_field=array))


class SumHistograms(Aggregate):
    function = "usage_sum_histograms"
    output_field = ArrayField(BigIntegerField())


@dataclass(frozen=True)
class Slice:
    """What an account did from ``start`` up to ``end``; with ``only``, a part of it."""

    account_id: int
    start: datetime
    end: datetime
    only: Only = field(default_factory=dict)
    moment: ClassVar = "hour"

    def rows(self, *, with_end_user: bool = False) -> QuerySet[Any, Any]:
        """The rollups of all calls, or of those alone that name an end user."""
        return self._of(EndUserHour if with_end_user else UsageHour)

    def by(self, dimension: Dimension) -> QuerySet[Any, Any]:
        """The rollups that know ``dimension``, each with its ``group``."""
        rows = self.rows(with_end_user=dimension == "end_user")
        found: QuerySet[Any, Any] = rows.annotate(group=F(COLUMNS.get(dimension, dimension)))
        return found

    def sums(self) -> dict[str, Any]:
        """What a query adds up."""
        return sums()

    def end_users(self) -> tuple[str, Sequence[Any]]:
        """A query for the sums of each of them: of whole UTC days as these are kept."""
        pieces = [piece.values_list("name", *COUNTS) for piece in self._days_and_hours()]
        sql, values = pieces[0].union(*pieces[1:], all=True).query.sql_with_params()
        sums = ", ".join(f"sum({name}) AS sum_{name}" for name in COUNTS)
        return f'SELECT name AS "group", {sums} FROM ({sql}) AS calls GROUP BY name', values  # noqa: S608

    def histograms(self, dimension: Dimension) -> Iterator[Histograms]:
        """How long answers took, group by group."""
        found: dict[Group, Histograms] = {}
        rows = self.rows().values_list(dimension, *HISTOGRAMS)
        # Added up here, as PostgreSQL takes three times as long; a few at a time, as thousands of
        # lists at once would have all of Python's memory searched for garbage.
        for group, latency, first in rows.iterator(chunk_size=500):
            if group not in found:
                found[group] = (group, [0] * BUCKETS, [0] * BUCKETS)
            _, latencies, firsts = found[group]
            add_to(latencies, latency)
            add_to(firsts, first)
        return iter(found.values())

    def errors(self) -> Iterator[tuple[str, int]]:
        """Each way in which calls ended unanswered, and how many did."""
        yield from self._of(ErrorHour).values_list("name").annotate(Sum("requests"))

    def _days_and_hours(self) -> list[QuerySet[Any, Any]]:
        """What holds every call that names an end user once, in few rows."""
        midnight, first = hours_of(self.start.astimezone(UTC).date())
        if midnight == self.start:
            first = midnight
        last, _ = hours_of(self.end.astimezone(UTC).date())
        if first >= last or self.only:  # a day does not tell models, keys and endpoints apart
            return [self._of(EndUserHour)]
        return [
            self._of(EndUserDay, first, last),
            self._of(EndUserHour, end=first),
            self._of(EndUserHour, start=last),
        ]

    def _of(
        self,
        model: type[HourlySums],
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> QuerySet[Any, Any]:
        within = Q(hour__gte=start or self.start, hour__lt=end or self.end)
        found: QuerySet[Any, Any] = model._default_manager.filter(
            within, account_id=self.account_id, **self.only
        ).order_by()
        return found


@dataclass(frozen=True, slots=True)
class Speed:
    """How long answers took to their end, and to their first token."""

    latency: Durations
    first_token: Durations


def over_time(part: Slice, beginnings: Sequence[datetime]) -> list[Totals]:
    """The sums of each step; ``beginnings`` are in order, and the first is the period's own."""
    found = {row["step"]: read(row) for row in _by_step(part, part.rows(), beginnings)}
    return [found.get(number, NOTHING) for number in range(1, len(beginnings) + 1)]


def groups(
    part: Slice, dimension: Dimension, most: int | None = None, whole: Totals | None = None
) -> dict[Group, Totals]:
    """The sums of each group, the most tokens first; only the largest where ``most`` says so.

    End users stand before the calls that name none: what is left of the ``whole``.
    """
    if dimension == "end_user":
        users, named = _end_users(part, most)
        nameless = (whole or read(part.rows().aggregate(**part.sums()))) - named
        return users | ({None: nameless} if nameless.requests > 0 else {})
    rows = part.by(dimension).values("group").annotate(**part.sums())
    rows = rows.order_by(-(F("sum_prompt_tokens") + F("sum_completion_tokens")), "group")
    return {row["group"]: read(row) for row in rows[:most]}


def _end_users(part: Slice, most: int | None) -> tuple[dict[Group, Totals], Totals]:
    """Those with the most tokens, and the sums of all of them."""
    sql, values = part.end_users()
    sums = [f"sum_{name}" for name in COUNTS]
    columns = ", ".join(['"group"', *sums, *(f"sum({name}) OVER ()" for name in sums)])
    largest = 'ORDER BY sum_prompt_tokens + sum_completion_tokens DESC, "group" LIMIT %s'
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM ({sql}) AS users {largest}", [*values, most])  # noqa: S608
        found: dict[Group, Totals] = {}
        named = NOTHING
        for group, *numbers in cursor:
            each, everybody = numbers[: len(sums)], numbers[len(sums) :]
            found[group], named = Totals(*map(int, each)), Totals(*map(int, everybody))
    return found, named


@dataclass(frozen=True, slots=True)
class Table:
    """The sums of each step, of each group, and of the largest groups step by step."""

    steps: list[Totals]
    groups: dict[Group, Totals]
    cells: list[dict[Group, Totals]]


def table(
    part: Slice,
    dimension: Dimension,
    beginnings: Sequence[datetime],
    size: Callable[[Totals], int],
    most: int,
) -> Table:
    """At most ``most`` groups. There may be any number of end users: only for the five that are
    the largest by ``size`` is it read what they did step by step.
    """
    if dimension == "end_user":
        steps = over_time(part, beginnings)
        found = groups(part, dimension, most, sum(steps, NOTHING))
        named = sorted((user for user in found if user is not None), key=lambda n: -size(found[n]))
        users = part.by(dimension).filter(group__in=named[:5])
        return Table(steps, found, _cells(part, users, beginnings))
    cells = _cells(part, part.by(dimension), beginnings)
    sums: dict[Group, Totals] = {}
    for step in cells:
        for group, totals in step.items():
            sums[group] = sums.get(group, NOTHING) + totals
    ranked = sorted(sums, key=lambda group: (-sums[group].tokens, str(group)))
    steps = [sum(step.values(), NOTHING) for step in cells]
    return Table(steps, {group: sums[group] for group in ranked[:most]}, cells)


def _cells(
    part: Slice, rows: QuerySet[Any, Any], beginnings: Sequence[datetime]
) -> list[dict[Group, Totals]]:
    found: list[dict[Group, Totals]] = [{} for _ in beginnings]
    for row in _by_step(part, rows, beginnings, "group"):
        found[row["step"] - 1][row["group"]] = read(row)
    return found


def cells_over_time(
    part: Slice, beginnings: Sequence[datetime], *names: str
) -> list[dict[tuple[Any, ...], Totals]]:
    """What was done with each combination of what is named, step by step."""
    found: list[dict[tuple[Any, ...], Totals]] = [{} for _ in beginnings]
    for row in _by_step(part, part.rows(), beginnings, *names):
        found[row["step"] - 1][tuple(row[name] for name in names)] = read(row)
    return found


def by_one(cells: Mapping[tuple[Any, ...], Totals], place: int) -> dict[Any, Totals]:
    """The sums of cells that have the same in one place."""
    sums: dict[Any, Totals] = {}
    for cell, totals in cells.items():
        sums[cell[place]] = sums.get(cell[place], NOTHING) + totals
    return sums


def lines(
    part: Slice, dimension: Dimension, beginnings: Sequence[datetime]
) -> Iterator[tuple[datetime, Group, Totals]]:
    """Every step with every group that did something in it, read bit by bit."""
    counted = _by_step(part, part.by(dimension), beginnings, "group").order_by("step", "group")
    named: dict[int, Totals] = {}
    for number, members in groupby(counted.iterator(chunk_size=2000), lambda row: row["step"]):
        named[number] = NOTHING
        for row in members:
            totals = read(row)
            named[number] += totals
            yield beginnings[number - 1], row["group"], totals
    if dimension == "end_user":
        for number, whole in enumerate(over_time(part, beginnings), start=1):
            if (nameless := whole - named.get(number, NOTHING)).requests:
                yield beginnings[number - 1], None, nameless


def errors(part: Slice) -> dict[str, int]:
    """How many calls ended in which way, ``outcome:code``; the most frequent first."""
    return dict(sorted(part.errors(), key=lambda error: (-error[1], error[0])))


def speeds(part: Slice, dimension: Dimension) -> tuple[Speed, Mapping[Group, Speed]]:
    """How fast answers came, of all and of each group; end users have no histograms."""
    latencies: list[int] = []
    firsts: list[int] = []
    found: dict[Group, Speed] = {}
    for group, latency, first in part.histograms("model" if dimension == "end_user" else dimension):
        found[group] = Speed(Durations.of(latency), Durations.of(first))
        latencies, firsts = add(latencies, latency), add(firsts, first)
    whole = Speed(Durations.of(latencies), Durations.of(firsts))
    return whole, {} if dimension == "end_user" else found


def latencies(part: Slice, beginnings: Sequence[datetime]) -> list[Durations]:
    """How long answers took in each step."""
    steps = part.rows().annotate(step=StepOf(part.moment, beginnings)).values_list("step")
    found = dict(steps.annotate(latency=SumHistograms("latency_histogram")))
    return [Durations.of(found.get(number, [])) for number in range(1, len(beginnings) + 1)]


def choices(part: Slice) -> tuple[list[str], list[str]]:
    """The models and the endpoints that were used in the period, in order."""
    pairs = list(part.rows().values_list("model", "endpoint").distinct())
    return sorted({model for model, _ in pairs}), sorted({endpoint for _, endpoint in pairs})


def _by_step(
    part: Slice, rows: QuerySet[Any, Any], beginnings: Sequence[datetime], *names: str
) -> QuerySet[Any, Any]:
    steps = rows.annotate(step=StepOf(part.moment, beginnings))
    found: QuerySet[Any, Any] = steps.values("step", *names).annotate(**part.sums())
    return found
