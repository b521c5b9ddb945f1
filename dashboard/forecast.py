"""When a limit is used up if it goes on like this.

A day of an account has a shape: what the coming hours will use is what they used on the days
before, times how much busier than then it is just now. Without days to compare with, it goes on
as in the last hours. Over too little data nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
DAYS_BACK = 14
SHAPE_FROM = 3  # whole days, before a day is believed to have a shape
SETTLING = timedelta(minutes=10)  # a pace measured over less says nothing
FEWEST = 5  # calls lately; what fewer used is no pace
LATELY = (2, 3, 5)  # hours, the current one included; how they differ is the uncertainty
WEEK = 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """About when, and by how much that may be wrong."""

    at: datetime
    margin: timedelta


@dataclass(frozen=True, slots=True)
class Past:
    """What each UTC hour used, up to the one that runs now, and how many calls that were."""

    used: Sequence[int]
    calls: Sequence[int]
    now: datetime

    @property
    def into_the_hour(self) -> float:
        """How much of the current hour is over; a part of 1."""
        begin = self.now.replace(minute=0, second=0, microsecond=0)
        return (self.now - begin) / HOUR

    @property
    def known(self) -> Sequence[int]:
        """The hours since the first call."""
        first = next((n for n, calls in enumerate(self.calls) if calls), len(self.calls))
        return self.used[first:]

    def runs_out(self, left: int, until: datetime) -> Forecast | None:
        """When ``left`` is used up, if that is before ``until``: for what begins anew each day."""
        if sum(self.calls[-LATELY[-1] :]) < FEWEST:
            return None
        moments = [self._runs_out(left, until, hours) for hours in LATELY]
        if (middle := moments[1]) is None:
            return None
        others = [moment or until for moment in (moments[0], moments[2])]
        return Forecast(middle, max(abs(other - middle) for other in others))

    def runs_out_in_days(self, left: int, until: datetime) -> Forecast | None:
        """The same for a month: the last days as a whole, however busy it is just now."""
        days = min(WEEK, (len(self.known) - 1) // 24)
        if days < 2 or sum(self.calls[-24 * days :]) < FEWEST * days:
            return None
        shape = self._shape(days)
        at = self._walk(left, until, shape)
        if at is None:
            return None
        most = max(sum(self.used[-1 - 24 * n :][:24]) for n in range(1, days + 1))
        early = self._walk(left, until, [hour * most / sum(shape) for hour in shape])
        return Forecast(at, at - (early or at))

    def _runs_out(self, left: int, until: datetime, hours: int) -> datetime | None:
        over = min(hours, len(self.known)) - 1 + self.into_the_hour
        if over * HOUR < SETTLING:
            return None
        lately = sum(self.known[-hours:])
        days = (len(self.known) - hours) // 24
        if days >= SHAPE_FROM and (shape := self._shape(min(days, DAYS_BACK), hours)):
            now = self.now.hour
            usual = sum(shape[(now - back) % 24] for back in range(1, hours))
            usual += shape[now] * self.into_the_hour
            if usual > 0:
                return self._walk(left, until, [hour * lately / usual for hour in shape])
        return self._walk(left, until, [lately / over] * 24)

    def _shape(self, days: int, but: int = 1) -> list[float]:
        """The mean of each hour of the day over some days, without the last hours themselves."""
        until = len(self.used) - but
        sums = [0.0] * 24
        for n in range(until - 24 * days, until):
            sums[(self.now.hour - (len(self.used) - 1 - n)) % 24] += self.used[n]
        return [total / days for total in sums]

    def _walk(self, left: float, until: datetime, shape: Sequence[float]) -> datetime | None:
        """Hour by hour until nothing is left; None if that takes until ``until``."""
        at = self.now
        while at < until:
            end = at.replace(minute=0, second=0, microsecond=0) + HOUR
            uses = shape[at.hour] * ((end - at) / HOUR)
            if uses >= left > 0:
                found = at + (end - at) * (left / uses)
                return found if found < until else None
            left, at = left - uses, end
        return None
