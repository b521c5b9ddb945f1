"""Sums over time as a stacked chart, and the same numbers as a table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dashboard.timezones import UTC_ZONE
from usage.reports import FineStep, Step, Totals

Measure = Literal["tokens", "prompt_tokens", "completion_tokens", "requests", "failed"]
UNITS: dict[Measure, str] = {
    "tokens": "tokens",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "completion tokens",
    "requests": "requests",
    "failed": "requests without an answer",
}
OverTime = Mapping[datetime, Mapping[str, Totals]]
COLOURS = 5
OTHER = "other"
NO_MODEL = "no model"  # requests that were refused before they named one


@dataclass(frozen=True, slots=True)
class Series:
    """What one group did, step by step. ``colour`` is a number of ``--chart-…``."""

    name: str
    colour: int
    values: list[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """``moments`` are where the steps begin; they are written by the clock of ``zone``."""

    measure: Measure
    step: FineStep
    moments: list[datetime]
    series: list[Series]
    of: str = "model"
    zone: ZoneInfo = UTC_ZONE

    @property
    def is_empty(self) -> bool:
        return not any(series.total for series in self.series)

    @property
    def unit(self) -> str:
        return UNITS[self.measure]

    @property
    def title(self) -> str:
        return f"{self.unit.capitalize()} per {self.step} by {self.of}"

    @property
    def labels(self) -> list[str]:
        """The steps as the axis names them: a time of the day, or a day of the year."""
        form = "%-d %b" if self.step == "day" else "%H:%M"
        return [f"{moment.astimezone(self.zone):{form}}" for moment in self.moments]

    @property
    def table(self) -> list[tuple[str, list[int], int]]:
        """Every step with its values and their sum, the newest first."""
        columns = [series.values for series in self.series]
        rows = list(zip(*columns, strict=True)) or [()] * len(self.moments)
        named = zip(self.titles, rows, strict=True)
        return [(title, list(values), sum(values)) for title, values in named][::-1]

    @property
    def titles(self) -> list[str]:
        return [self._title(moment) for moment in self.moments]

    @property
    def as_json(self) -> dict[str, object]:
        """What ``static/js/charts.js`` draws."""
        return {
            "unit": self.unit,
            "labels": self.labels,
            "titles": self.titles,
            "series": [
                {"name": series.name, "colour": series.colour, "values": series.values}
                for series in self.series
            ],
        }

    def _title(self, moment: datetime) -> str:
        """An hour that the clock strikes twice has two names, by its zone's abbreviation."""
        begin = moment.astimezone(self.zone)
        if self.step == "day":
            return f"{begin:%a %-d %b %Y} {begin:%Z}"
        if self.step == "minute":
            return f"{begin:%a %-d %b, %H:%M %Z}"
        end = (moment + timedelta(hours=1)).astimezone(self.zone)
        changes = f" {begin:%Z}" if begin.tzname() != end.tzname() else ""
        return f"{begin:%a %-d %b, %H:%M}{changes}–{end:%H:%M %Z}"


def stacked(over_time: OverTime, measure: Measure, step: Step) -> Chart:
    """The largest models each in a colour of its own; when there are too many, the rest in one."""
    sums: Counter[str] = Counter()
    for models in over_time.values():
        for name, totals in models.items():
            sums[name] += getattr(totals, measure)
    ranked = [name for name, _ in sums.most_common()]
    few = len(ranked) <= COLOURS
    named = ranked if few else ranked[: COLOURS - 1]
    groups = [(name or NO_MODEL, [name]) for name in named]
    if not few:
        groups.append((OTHER, ranked[COLOURS - 1 :]))
    series = [
        Series(name, colour, [_sum(models, members, measure) for models in over_time.values()])
        for colour, (name, members) in enumerate(groups, start=1)
    ]
    return Chart(measure, step, list(over_time), series)


def _sum(models: Mapping[str, Totals], names: Iterable[str], measure: Measure) -> int:
    return sum(getattr(models[name], measure) for name in names if name in models)


def split(
    measure: Measure,
    totals: Sequence[Totals],
    parts: Sequence[Mapping[Any, Totals]],
    names: Mapping[Any, str],
) -> list[Series]:
    """The named parts of every step each in a colour, and what is left of its total in one."""
    values = {
        group: [getattr(step.get(group, NOTHING), measure) for step in parts] for group in names
    }
    series = [
        Series(name, colour, values[group])
        for colour, (group, name) in enumerate(names.items(), start=1)
    ]
    wholes = [getattr(step, measure) for step in totals]
    left = [whole - sum(part) for whole, *part in zip(wholes, *values.values(), strict=True)]
    return [*series, Series(OTHER, COLOURS, left)] if any(left) else series


NOTHING = Totals()
WIDTH, HEIGHT, MARGIN = 200, 32, 2


def sparkline(values: Sequence[float]) -> str:
    """The points of a line through ``values`` in a box of 200 by 32; empty for fewer than two."""
    if len(values) < 2:
        return ""
    top = max(values) or 1
    across, up = WIDTH / (len(values) - 1), (HEIGHT - 2 * MARGIN) / top
    points = enumerate(values)
    return " ".join(f"{n * across:.1f},{HEIGHT - MARGIN - value * up:.1f}" for n, value in points)
