"""Which period a page shows, as its URL says it: ``range=7d``, or ``start`` and ``end``."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError

from usage.reports import Step

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
    """From ``start`` up to but without ``end``. ``name`` is a preset or ``custom``."""

    name: str
    start: datetime
    end: datetime

    @classmethod
    def last(cls, name: str, now: datetime) -> "Range":
        return cls(name, now - PRESETS[name][1], now)

    @property
    def by_the_hour(self) -> "Range":
        """With the whole of the hour in which it begins, as sums are kept by the hour."""
        start = self.start.replace(minute=0, second=0, microsecond=0)
        return Range(self.name, start, self.end)

    @property
    def step(self) -> Step:
        return "hour" if self.end - self.start <= BY_HOUR_UP_TO else "day"

    @property
    def query(self) -> str:
        """What leads here again."""
        return query_of(self.start, self.end) if self.name == "custom" else f"range={self.name}"


def query_of(start: datetime, end: datetime | None = None) -> str:
    """A custom period as the URL says it; without an end it goes on until now."""
    moments = {"start": start, "end": end}
    return urlencode({name: f"{at:{FORMAT}}" for name, at in moments.items() if at}, safe=":")


class MomentField(forms.DateTimeField):
    """A moment in UTC."""

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "datetime-local", "class": "input"}
        widget = forms.DateTimeInput(attrs, format=FORMAT)
        super().__init__(required=False, widget=widget, **options)


class RangeForm(forms.Form):
    """The period of a page. Without one in the URL it is ``default``, or none at all."""

    default = ""
    range = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any time"),
            *((name, f"Last {words}") for name, (words, _) in PRESETS.items()),
        ],
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={"invalid_choice": "There is no range “%(value)s”."},
    )
    start = MomentField(label="From (UTC)")
    end = MomentField(label="To (UTC)")

    def __init__(self, *args: Any, now: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.now = now

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
            return Range("custom", start, cleaned["end"] or self.now)
        name = cleaned.get("range") or self.default
        return Range.last(name, self.now) if name else None


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
