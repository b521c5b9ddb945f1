"""Today beside yesterday: the figures of the Overview page."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from django.urls import reverse

from dashboard.charts import sparkline
from dashboard.forecast import DAYS_BACK
from dashboard.ranges import query_of
from dashboard.standing import Pace
from dashboard.templatetags.figures import amount, duration, percent
from usage import breakdown, reports
from usage.breakdown import Slice
from usage.reports import Durations, Totals

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALARMING = 5  # percent of requests
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, what it is beside, its course over the day, and where it is explained."""

    title: str
    value: str
    beside: str
    notes: list[str]
    url: str
    points: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Today:
    """The hours of the UTC day so far, and those of the day before."""

    now: datetime
    pace: Pace
    hours: list[Totals]
    yesterday: list[Totals]
    latency: Durations
    latency_yesterday: Durations

    @property
    def midnight(self) -> datetime:
        return midnight_of(self.now)

    @property
    def query(self) -> str:
        """The period as the URLs of other pages say it."""
        return query_of(self.midnight)

    @property
    def so_far(self) -> Totals:
        return total(self.hours)

    @property
    def figures(self) -> list[Figure]:
        return [
            self._count("Requests", "requests"),
            self._count("Tokens", "tokens"),
            self._share("Errors", "errors"),
            self._share("Refused", "refused"),
            self._latency(),
        ]

    def _count(self, title: str, name: str) -> Figure:
        value = getattr(self.so_far, name)
        notes = [compared(value, self._by_now(name))]
        return Figure(title, amount(value), "", notes, self._url("breakdown"), self._course(name))

    def _share(self, title: str, name: str) -> Figure:
        value, requests = getattr(self.so_far, name), self.so_far.requests
        before = total(self.yesterday)
        return Figure(
            title,
            amount(value),
            percent(value, requests),
            [f"{percent(getattr(before, name), before.requests)} yesterday"],
            self._url("outcomes"),
            self._course(name),
            "bad" if value * 100 > requests * ALARMING else "",
        )

    def _latency(self) -> Figure:
        now, before = self.latency, self.latency_yesterday
        then = f"{duration(before.median)} and {duration(before.p95)} yesterday"
        return Figure(
            "Latency",
            duration(now.median),
            "p50",
            [
                f"{duration(now.p95)} p95",
                "no answers yesterday" if before.median is None else then,
            ],
            self._url("latency"),
        )

    def _url(self, part: str) -> str:
        return f"{reverse('dashboard:usage')}?{self.query}#{part}"

    @property
    def _into_the_hour(self) -> timedelta:
        return self.now - self.now.replace(minute=0, second=0, microsecond=0)

    def _by_now(self, name: str) -> float:
        """What yesterday had by this time of day; its current hour counts in part."""
        counts: list[int] = [getattr(hour, name) for hour in self.yesterday[: len(self.hours)]]
        return sum(counts[:-1]) + counts[-1] * (self._into_the_hour / HOUR)

    def _course(self, name: str) -> str:
        return sparkline([getattr(hour, name) for hour in self.hours])


def look(account_id: int, now: datetime) -> Today:
    midnight = midnight_of(now)
    start = midnight - DAYS_BACK * DAY
    beginnings = list(reports.steps(start, now, "hour"))
    hours = breakdown.over_time(Slice(account_id, start, now), beginnings)
    before = 24 * DAYS_BACK
    latencies = breakdown.latencies(
        Slice(account_id, midnight - DAY, now), [midnight - DAY, midnight]
    )
    return Today(
        now,
        Pace(hours, now),
        hours[before:] or [Totals()],
        hours[before - 24 : before],
        latencies[1],
        latencies[0],
    )


def midnight_of(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def total(several: Iterable[Totals]) -> Totals:
    several = list(several)
    return Totals(
        **{field.name: sum(getattr(one, field.name) for one in several) for field in fields(Totals)}
    )


def compared(value: float, before: float) -> str:
    """How this compares with yesterday at the same time.

    >>> compared(150, 100), compared(99, 100), compared(3, 0)
    ('+50 % on this time yesterday', '−1 % on this time yesterday', 'none by this time yesterday')
    """
    if not before:
        return "none by this time yesterday"
    if value >= 10 * before:
        return f"{value / before:,.0f} times this time yesterday"
    change = round(100 * (value / before - 1))
    signed = f"{change:+d}".replace("-", MINUS)
    return f"{signed} % on this time yesterday" if change else "as at this time yesterday"
