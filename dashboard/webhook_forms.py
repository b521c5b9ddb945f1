"""What people fill in about their webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from webhooks import egress
from webhooks.event_types import EventType
from webhooks.events import KEPT
from webhooks.models import Delivery, Endpoint

MOMENT = "%Y-%m-%dT%H:%M"


class EndpointForm(forms.Form):
    url = forms.CharField(
        label="URL",
        max_length=Endpoint._meta.get_field("url").max_length,
        widget=forms.TextInput(
            attrs={
                "class": "input",
                "placeholder": "https://example.org/webhooks",
                "inputmode": "url",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
        help_text="Where we POST to. It answers with a status of 200 to 299 within 15 seconds.",
    )
    description = forms.CharField(
        required=False,
        max_length=Endpoint._meta.get_field("description").max_length,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        help_text="For your colleagues; what listens there.",
    )
    events = forms.MultipleChoiceField(
        choices=[(kind.value, f"When {kind.label}") for kind in EventType],
        initial=EventType.values,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one event."},
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            egress.parse(url)
        except egress.BadURL as error:
            raise ValidationError(str(error)) from error
        return url

    @classmethod
    def of(cls, endpoint: Endpoint) -> EndpointForm:
        names = ("url", "description", "events")
        return cls(initial={name: getattr(endpoint, name) for name in names})


class TestForm(forms.Form):
    __test__ = False  # pytest: this is no test

    event = forms.ChoiceField(
        choices=[(kind.value, kind.value) for kind in EventType],
        widget=forms.Select(attrs={"class": "input"}),
    )


class ReplayForm(forms.Form):
    since = forms.DateTimeField(
        label="Since (UTC)",
        input_formats=[MOMENT, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(
            format=MOMENT, attrs={"class": "input", "type": "datetime-local"}
        ),
        help_text=f"Events are kept for {KEPT.days} days.",
    )
    everything = forms.BooleanField(
        label="Also what has arrived",
        required=False,
        help_text="A receiver that remembers the ids of events takes none of them twice.",
    )

    def clean_since(self) -> datetime:
        since: datetime = self.cleaned_data["since"]
        if since > timezone.now():
            raise ValidationError("That is in the future.")
        return since


class DeliveryFilterForm(forms.Form):
    """``status`` narrows the list of deliveries; what is no status narrows nothing."""

    status = forms.ChoiceField(choices=Delivery.Status.choices, required=False)

    @property
    def narrowing(self) -> dict[str, Any]:
        status = self.cleaned_data.get("status") if self.is_valid() else ""
        return {"status": status} if status else {}
