"""Sums over time as a stacked chart, and the same numbers as a table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from usage.reports import Step, Totals

Measure = Literal["tokens", "requests"]
OverTime = Mapping[datetime, Mapping[str, Totals]]
COLOURS = 5
OTHER = "other"
NO_MODEL = "no model"  # requests that were refused before they named one


@dataclass(frozen=True, slots=True)
class Series:
    """What one model did, step by step. ``colour`` is a number of ``--chart-…``."""

    name: str
    colour: int
    values: list[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    measure: Measure
    step: Step
    moments: list[datetime]
    series: list[Series]

    @property
    def is_empty(self) -> bool:
        return not any(series.total for series in self.series)

    @property
    def title(self) -> str:
        return f"{self.measure.capitalize()} per {self.step} by model"

    @property
    def labels(self) -> list[str]:
        """The steps as the axis names them: an hour of the day, or a day of the year."""
        return [
            moment.strftime("%H:%M" if self.step == "hour" else "%-d %b") for moment in self.moments
        ]

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
            "unit": self.measure,
            "labels": self.labels,
            "titles": self.titles,
            "series": [
                {"name": series.name, "colour": series.colour, "values": series.values}
                for series in self.series
            ],
        }

    def _title(self, moment: datetime) -> str:
        if self.step == "day":
            return f"{moment:%a %-d %b %Y} UTC"
        return f"{moment:%a %-d %b, %H:%M}–{moment + timedelta(hours=1):%H:%M} UTC"


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


WIDTH, HEIGHT, MARGIN = 200, 32, 2


def sparkline(values: Sequence[float]) -> str:
    """The points of a line through ``values`` in a box of 200 by 32; empty for fewer than two."""
    if len(values) < 2:
        return ""
    top = max(values) or 1
    across, up = WIDTH / (len(values) - 1), (HEIGHT - 2 * MARGIN) / top
    points = enumerate(values)
    return " ".join(f"{n * across:.1f},{HEIGHT - MARGIN - value * up:.1f}" for n, value in points)
