"""Which period a page shows, as its URL says it: ``range=7d``, or ``start`` and ``end``."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from dashboard.timezones import UTC_ZONE
from dashboard.widgets import Select
from usage.reports import FineStep, steps

PRESETS = {
    "1h": ("1 h", timedelta(hours=1)),
    "24h": ("24 h", timedelta(hours=24)),
    "7d": ("7 d", timedelta(days=7)),
    "30d": ("30 d", timedelta(days=30)),
}
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=366)
BY_HOUR_UP_TO = timedelta(days=3)
FORMAT = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start`` up to but without ``end``. ``name`` is a preset or ``custom``.

    The moments are UTC; ``zone`` is where its days begin.
    """

    name: str
    start: datetime
    end: datetime
    zone: ZoneInfo = UTC_ZONE
    in_minutes: bool = False

    @classmethod
    def last(cls, name: str, now: datetime, zone: ZoneInfo = UTC_ZONE) -> "Range":
        return cls(name, now - PRESETS[name][1], now, zone)

    @property
    def by_the_hour(self) -> "Range":
        """With the whole of the hour in which it begins, as sums are kept by the hour."""
        start = self.start.replace(minute=0, second=0, microsecond=0)
        return replace(self, start=start)

    @property
    def by_the_minute(self) -> "Range":
        """With the whole of the minute in which it begins."""
        start = self.start.replace(second=0, microsecond=0)
        return replace(self, start=start, in_minutes=True)

    @property
    def step(self) -> FineStep:
        if self.in_minutes:
            return "minute"
        return "hour" if self.end - self.start <= BY_HOUR_UP_TO else "day"

    @property
    def beginnings(self) -> list[datetime]:
        """Where the steps begin: at the start, then at every minute, hour, or midnight of the zone.

        A day has 23 or 25 hours where the clocks are changed.
        """
        if self.step != "day":
            return list(steps(self.start, self.end, self.step))
        found, day = [self.start], self.start.astimezone(self.zone).date()
        while True:
            day += timedelta(days=1)
            midnight = datetime.combine(day, time(), self.zone).astimezone(UTC)
            if midnight >= self.end:
                return found
            if midnight > self.start:
                found.append(midnight)

    @property
    def splits_hours(self) -> bool:
        """Whether a day begins amid an hour of UTC, as in India; hours are not divided."""
        return any(at.minute for at in self.beginnings[1:])

    @property
    def query(self) -> str:
        """What leads here again."""
        return query_of(self.start, self.end) if self.name == "custom" else f"range={self.name}"


def query_of(start: datetime, end: datetime | None = None) -> str:
    """A custom period as the URL says it to viewers everywhere; without an end until now."""
    moments = {"start": start, "end": end}
    return urlencode(
        {name: f"{at.astimezone(UTC):{FORMAT}}Z" for name, at in moments.items() if at}, safe=":"
    )


class MomentField(forms.DateTimeField):
    """A moment; in ``zone``, unless it says otherwise."""

    zone: ZoneInfo = UTC_ZONE

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "datetime-local", "class": "input"}
        widget = forms.DateTimeInput(attrs, format=FORMAT)
        super().__init__(required=False, widget=widget, **options)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(self.zone):
            return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        """As a browser takes it: the clock of the zone, without saying so."""
        try:
            moment = self.to_python(value)
            return f"{moment.astimezone(self.zone):{FORMAT}}" if moment else value
        except (ValidationError, OverflowError):
            return value


class RangeForm(forms.Form):
    """The period of a page. Without one in the URL it is ``default``, or none at all."""

    default = ""
    range = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any time"),
            *((name, f"Last {words}") for name, (words, _) in PRESETS.items()),
        ],
        widget=Select(attrs={"class": "input"}),
        error_messages={"invalid_choice": "There is no range “%(value)s”."},
    )
    start = MomentField(label="From")
    end = MomentField(label="To")

    def __init__(
        self, *args: Any, now: datetime, zone: ZoneInfo = UTC_ZONE, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.now, self.clock = now, zone
        for name in ("start", "end"):
            field = self.fields[name]
            assert isinstance(field, MomentField)
            field.zone, field.label = zone, f"{field.label} ({zone})"

    def clean_start(self) -> datetime | None:
        return within_reason(self.cleaned_data["start"])

    def clean_end(self) -> datetime | None:
        return within_reason(self.cleaned_data["end"])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        start, end = cleaned.get("start"), cleaned.get("end")
        if self.errors:
            return cleaned
        if end and not start:
            self.add_error("start", "Say from when, too.")
        elif start and start >= (end or self.now):
            self.add_error("start", "The beginning must come before the end.")
        elif start and (end or self.now) - start > LONGEST:
            self.add_error("end", f"At most {LONGEST.days} days can be shown at once.")
        return cleaned

    @property
    def period(self) -> Range | None:
        """What was asked for, or the default; what is wrong with a form asks for nothing."""
        cleaned = self.cleaned_data if self.is_valid() else {}
        if start := cleaned.get("start"):
            return Range("custom", start, cleaned["end"] or self.now, self.clock)
        name = cleaned.get("range") or self.default
        return Range.last(name, self.now, self.clock) if name else None


def within_reason(moment: datetime | None) -> datetime | None:
    """The moment in UTC, if there can have been any use of this product around it."""
    if moment is None:
        return None
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = EARLIEST - LONGEST
    if not EARLIEST <= moment <= EARLIEST.replace(year=2500):
        raise ValidationError(f"There is nothing to show before {EARLIEST.year} or after 2500.")
    return moment
