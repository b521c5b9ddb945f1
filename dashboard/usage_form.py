"""What the Usage page is asked to show, as its URL says it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils import timezone

from accounts.middleware import AccountRequest
from dashboard.charts import Measure
from dashboard.ranges import PRESETS, Range, RangeForm
from dashboard.timezones import names, zone_named, zone_of
from dashboard.widgets import Select
from usage import minutes
from usage.breakdown import Dimension, Slice
from usage.minutes import Minutes

DIMENSIONS: dict[str, tuple[Dimension, str]] = {
    "model": ("model", "Model"),
    "key": ("api_key_id", "API key"),
    "endpoint": ("endpoint", "Endpoint"),
    "user": ("end_user", "End user"),
}
MEASURES: dict[Measure, str] = {
    "tokens": "Tokens",
    "prompt_tokens": "In",
    "completion_tokens": "Out",
    "requests": "Requests",
    "failed": "Unanswered",
}
SELECT = {"class": "input"}


class ZoneField(forms.ChoiceField):
    """A time zone; the viewer's ``own`` where the URL names none."""

    own = "UTC"

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data or self.own


class UsageForm(RangeForm):
    """The period, which part of the usage, and by what it is broken down and measured."""

    default = "24h"
    by = forms.ChoiceField(
        required=False,
        choices=[(name, word) for name, (_, word) in DIMENSIONS.items()],
        error_messages={"invalid_choice": "Usage cannot be broken down by “%(value)s”."},
    )
    show = forms.ChoiceField(
        required=False,
        choices=list(MEASURES.items()),
        error_messages={"invalid_choice": "The chart cannot show “%(value)s”."},
    )
    model = forms.CharField(required=False, max_length=200)
    key = forms.IntegerField(
        label="API key", required=False, min_value=0, max_value=2**63 - 1, localize=False
    )
    endpoint = forms.CharField(required=False, max_length=40)
    zone = ZoneField(
        label="Time zone",
        required=False,
        widget=Select(SELECT | {"data-timezone": ""}),
        error_messages={"invalid_choice": "There is no time zone “%(value)s”."},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        shown = [*names(), *{self.clock.key} - set(names())]
        zone = self.fields["zone"]
        assert isinstance(zone, ZoneField)
        zone.own, zone.choices = self.clock.key, [(name, name.replace("_", " ")) for name in shown]

    def offer(
        self, models: Iterable[str], endpoints: Iterable[str], api_keys: Mapping[int, str]
    ) -> None:
        """Let the filters be chosen from what there is; what the URL names stays choosable."""
        keys = {str(pk): name for pk, name in api_keys.items()}
        for name, empty, there in (
            ("model", "Any model", {model: model for model in models}),
            ("key", "Any key", keys),
            ("endpoint", "Any endpoint", {endpoint: endpoint for endpoint in endpoints}),
        ):
            asked = self.data.get(name, "")
            there = {value: word for value, word in there.items() if value}
            choices = [("", empty), *({asked: asked} | there if asked else there).items()]
            self.fields[name].widget = Select(SELECT, choices=choices)


@dataclass(frozen=True, slots=True)
class View:
    """What was asked for; the defaults where that makes no sense."""

    form: UsageForm
    period: Range
    by: str
    measure: Measure
    only: dict[str, str | int]

    @property
    def dimension(self) -> Dimension:
        return DIMENSIONS[self.by][0]

    @property
    def word(self) -> str:
        return DIMENSIONS[self.by][1]

    def part(self, account_id: int) -> Slice:
        kind = Minutes if self.period.in_minutes else Slice
        return kind(account_id, self.period.start, self.period.end, self.only)

    def query(self, **changes: object) -> str:
        """The shortest URL of this view, or of one that differs in ``changes``."""
        asked = {name: self.form.data.get(name, "") for name in self.form.fields}
        period = changes.pop("period", self.period.query)
        rest = {
            name: value
            for name, value in {**asked, **changes}.items()
            if value not in ("", None) and name not in ("range", "start", "end")
        }
        return "&".join(filter(None, [str(period), urlencode(rest, safe=":/", errors="replace")]))

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """The periods that one click leads to: query, words, whether it is this one."""
        found = [
            (self.query(period=f"range={name}"), words, self.period.name == name)
            for name, (words, _) in PRESETS.items()
        ]
        custom = Range("custom", self.period.start, self.period.end).query
        return [*found, (self.query(period=custom), "Custom", self.period.name == "custom")]

    @property
    def measures(self) -> list[tuple[str, str, bool]]:
        return [
            (self.query(show=name), word, name == self.measure) for name, word in MEASURES.items()
        ]

    @property
    def dimensions(self) -> list[tuple[str, str, bool]]:
        return [
            (self.query(by=name), word, name == self.by) for name, (_, word) in DIMENSIONS.items()
        ]


def view_of(request: AccountRequest) -> View:
    """What the URL asks for. Its time zone, if it names one, goes before the viewer's own."""
    now = timezone.now()
    zone = zone_named(request.GET.get("zone", "")) or zone_of(request)
    form = UsageForm(request.GET, now=now, zone=zone)
    asked = form.cleaned_data if form.is_valid() else {}
    period = form.period or Range.last(UsageForm.default, now, zone)
    only = {
        column: asked[name]
        for name, column in (("model", "model"), ("key", "api_key_id"), ("endpoint", "endpoint"))
        if asked.get(name) not in (None, "")
    }
    measure: Measure = asked.get("show") or "tokens"
    return View(form, _whole(period, request.account.pk), asked.get("by") or "model", measure, only)


def _whole(period: Range, account_id: int) -> Range:
    """In whole hours, as sums are kept; the last hour in whole minutes where the log allows it."""
    fine = period.name == "1h" and minutes.fit(Slice(account_id, period.start, period.end))
    return period.by_the_minute if fine else period.by_the_hour
