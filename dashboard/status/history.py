"""Ninety days of a part or a model: what was counted, and the incidents that fell into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from dashboard.status.days import StatusDay, days_until
from dashboard.status.incidents import Incident
from dashboard.status.parts import Kind, State
from dashboard.templatetags.figures import percent

GOOD, FAIR = 0.99, 0.9  # shares of a day


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one thing. ``share`` is None where nothing was counted."""

    on: date
    kind: Kind
    share: float | None = None
    incidents: tuple[str, ...] = ()
    worst: State | None = None  # that an incident made of it

    @property
    def state(self) -> State | None:
        """By the incidents and by what was counted, whichever is worse; None if neither is known.

        >>> Day(date(2026, 11, 1), Kind.PART, 0.95).state
        State.DEGRADED
        """
        if self.share is None or self.worst is State.DOWN:
            return self.worst
        if self.share < FAIR:
            return State.DOWN
        return State.DEGRADED if self.share < GOOD or self.worst else State.WORKS

    @property
    def mark(self) -> str:
        """The letter by which the style sheet knows it."""
        marks = {State.WORKS: "o", State.DEGRADED: "w", State.DOWN: "b"}
        return marks[self.state] if self.state else ""

    @property
    def word(self) -> str:
        words = {State.WORKS: "good", State.DEGRADED: "some trouble", State.DOWN: "bad"}
        return words[self.state] if self.state else "nothing known"

    @property
    def counted(self) -> str:
        """What was counted, in words."""
        if self.share is None:
            return "no calls" if self.kind == Kind.MODEL else "not watched"
        what = "of the calls answered" if self.kind == Kind.MODEL else "of the time"
        return f"{_share_in_words(self.share)} {what}"

    @property
    def title(self) -> str:
        return "; ".join([f"{self.on:%-d %B}: {self.word}, {self.counted}", *self.incidents])


@dataclass(frozen=True, slots=True)
class History:
    """The days of one thing, the oldest first, and what they come to."""

    days: list[Day]
    share: float | None

    @property
    def in_words(self) -> str:
        """For whoever does not see the bars, or does not count them."""
        bad = sum(day.state in (State.DEGRADED, State.DOWN) for day in self.days)
        known = sum(day.share is not None for day in self.days)
        if not known and not bad:
            return f"Nothing is known of the last {len(self.days)} days."
        told = f"{_share_in_words(self.share)} over {_days(known)}, " if known else ""
        return f"{told}{_days(bad) if bad else 'no day'} with trouble"

    @property
    def is_empty(self) -> bool:
        return all(day.state is None for day in self.days)


@dataclass
class Histories:
    """Those of everything, with two queries."""

    now: datetime
    incidents: Iterable[Incident]
    rows: dict[tuple[str, str], dict[date, StatusDay]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in StatusDay.objects.filter(day__gte=days_until(self.now)[0]):
            self.rows.setdefault((row.kind, row.name), {})[row.day] = row

    def of(self, kind: Kind, name: str) -> History:
        rows = self.rows.get((kind, name), {})
        mine = [incident for incident in self.incidents if incident.affects(kind, name)]
        days = [self._day(kind, on, rows, mine) for on in days_until(self.now)]
        ok, failed = (sum(getattr(row, name) for row in rows.values()) for name in ("ok", "failed"))
        return History(days, ok / (ok + failed) if ok + failed else None)

    def _day(
        self, kind: Kind, on: date, rows: Mapping[date, StatusDay], mine: list[Incident]
    ) -> Day:
        row = rows.get(on)
        counted = row.ok + row.failed if row else 0
        here = [incident for incident in mine if self._touches(incident, on)]
        made = {incident.severity.state for incident in here} - {None}
        return Day(
            on,
            kind,
            row.ok / counted if row and counted else None,
            tuple(incident.title for incident in here),
            max(made, key=list(State).index, default=None),  # type: ignore[arg-type]
        )

    def _touches(self, incident: Incident, on: date) -> bool:
        until = incident.resolved_at or self.now
        return incident.begun_at.astimezone(UTC).date() <= on <= until.astimezone(UTC).date()


def _days(number: int) -> str:
    return f"{number} {'day' if number == 1 else 'days'}"


def _share_in_words(share: float | None) -> str:
    """A share that was not all never reads as if it were.

    >>> _share_in_words(1), _share_in_words(0.99996), _share_in_words(0.95)
    ('100 %', '99.99 %', '95 %')
    """
    if share is None:
        return ""
    return "99.99 %" if 0.9999 < share < 1 else _two_digits(share)


def _two_digits(share: float) -> str:
    if 0.99 < share < 1:
        return f"{int(share * 10_000) / 100:.2f} %"
    return percent(share)
