"""What the Logs page is asked to show, as its URL says it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import APIKey
from dashboard.entries import OUTCOMES
from dashboard.ranges import RangeForm
from usage.log_store import Filters

SELECT = {"class": "input"}


class LogFilterForm(RangeForm):
    """Every field may stay empty; ``filters`` shows all where it does."""

    q = forms.CharField(
        label="Request id or end user",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            {
                "class": "input",
                "type": "search",
                "placeholder": "Request id or end user",
                "autocomplete": "off",
            }
        ),
    )
    outcome = forms.ChoiceField(
        required=False,
        choices=[("", "Any outcome"), *((name, words[0]) for name, words in OUTCOMES.items())],
        widget=forms.Select(SELECT),
        error_messages={"invalid_choice": "There is no outcome “%(value)s”."},
    )
    status = forms.IntegerField(
        required=False,
        min_value=100,
        max_value=599,
        widget=forms.NumberInput({"class": "input", "placeholder": "Status"}),
    )
    model = forms.CharField(required=False, max_length=200)
    key = forms.ChoiceField(
        required=False,
        widget=forms.Select(SELECT),
        error_messages={"invalid_choice": "This account has no such key."},
    )

    def __init__(
        self, *args: Any, api_keys: Iterable[APIKey], models: Iterable[str], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        names = sorted({*models, self.data.get("model", "")} - {""})
        choices = [("", "Any model"), *((name, name) for name in names)]
        self.fields["model"].widget = forms.Select(SELECT, choices=choices)
        keys = [(str(api_key.pk), str(api_key)) for api_key in api_keys]
        self.fields["key"].choices = [("", "Any key"), *keys]  # type: ignore[attr-defined]

    @property
    def filters(self) -> Filters:
        """Only of use when the form is valid."""
        asked, period = self.cleaned_data, self.period
        words = asked["q"].strip()
        is_id = words.startswith("req_")
        return Filters(
            model=asked["model"],
            api_key_id=int(asked["key"]) if asked["key"] else None,
            outcome=asked["outcome"],
            status_code=asked["status"],
            request_id=words if is_id else "",
            end_user="" if is_id else words,
            since=period.start if period else None,
            until=period.end if period and asked["end"] else None,
        )

    @property
    def query(self) -> str:
        """The filters as the shortest URL says them, without a place in the list."""
        clean = QueryDict(mutable=True)
        for name in self.fields:
            if value := self.data.get(name):
                clean[name] = value
        return clean.urlencode(safe=":/")
