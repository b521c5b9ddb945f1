"""What people fill in about the keys of their account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.key_rules import ENVIRONMENTS, Endpoint, LeakPolicy, Reason, Settings, network
from accounts.models import APIKey
from accounts.scopes import Scope
from accounts.sent_once import SentOnce

MOST = 100  # lines in a list
CHOSEN_REASONS = (Reason.USER, Reason.ROTATION, Reason.COMPROMISED)
GRACES = ((0, "None: it ends now"), (1, "1 hour"), (24, "1 day"), (168, "7 days"), (720, "30 days"))


class LinesField(forms.CharField):
    """A list, one entry a line."""

    widget = forms.Textarea(attrs={"class": "input", "rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in (value or "").replace(",", "\n").splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def validate(self, value: Any) -> None:
        if len(value) > MOST:
            raise ValidationError(f"At most {MOST} lines.")

    def run_validators(self, value: Any) -> None:
        for line in value:
            super().run_validators(line)


class KeyForm(forms.Form):
    """What a key is called and what it may do. An empty list allows everything."""

    SUGGESTED_NAMES = ("Laptop", "Web site", "Nightly batch")
    SUGGESTED_ENVIRONMENTS = ENVIRONMENTS
    MORE = ("expires_at", "allowed_models", "allowed_endpoints", "allowed_networks", "honey")

    name = forms.CharField(
        max_length=APIKey._meta.get_field("name").max_length,
        help_text="What will use it, so that you know later which one to revoke.",
        widget=forms.TextInput(
            attrs={
                "class": "input",
                "list": "suggested-names",
                "placeholder": "Web site",
                "autocomplete": "off",
            }
        ),
    )
    environment = forms.CharField(
        max_length=APIKey._meta.get_field("environment").max_length,
        required=False,
        initial=ENVIRONMENTS[0],
        widget=forms.TextInput(
            attrs={"class": "input", "list": "suggested-environments", "autocomplete": "off"}
        ),
        help_text="Development, staging, production, or a word of your own.",
    )
    scopes = forms.MultipleChoiceField(
        label="Permissions",
        choices=Scope.choices,
        initial=Scope.values,
        help_text="A key should carry only what it needs; a leaked one can do no more.",
        error_messages={"required": "Choose at least one permission."},
        widget=forms.CheckboxSelectMultiple,
    )
    expires_at = forms.DateTimeField(
        label="Expires at (UTC)",
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"class": "input", "type": "datetime-local"}
        ),
        help_text="It is refused from then on. You get mail a week and a day before.",
    )
    allowed_models = LinesField(
        label="Models",
        required=False,
        max_length=200,
        help_text="One id or alias a line; empty for every model.",
    )
    allowed_endpoints = forms.MultipleChoiceField(
        label="Endpoints",
        required=False,
        choices=[(endpoint.value, endpoint.value) for endpoint in Endpoint],
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen means every one that its permissions allow.",
    )
    allowed_networks = LinesField(
        label="IP addresses",
        required=False,
        help_text="One address or CIDR range a line, such as 203.0.113.0/24; empty for any.",
    )

    def clean_environment(self) -> str:
        return self.cleaned_data["environment"] or ENVIRONMENTS[0]

    def clean_allowed_networks(self) -> list[str]:
        return list(dict.fromkeys(network(line) for line in self.cleaned_data["allowed_networks"]))

    def clean_expires_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["expires_at"]
        if moment and moment != self.initial.get("expires_at") and moment <= timezone.now():
            raise ValidationError("That is in the past.")
        return moment

    @property
    def settings(self) -> Settings:
        chosen = {name: self.cleaned_data[name] for name in Settings.__annotations__}
        return cast(Settings, chosen)

    @property
    def more_is_open(self) -> bool:
        """Whether something rarely wanted was filled in."""
        return any(
            self[name].errors or self[name].value() for name in self.MORE if name in self.fields
        )


class NewKeyForm(SentOnce, KeyForm):
    honey = forms.BooleanField(
        label="This is a honey key",
        required=False,
        help_text="It can do nothing. Put it where only a thief looks: whoever tries it is told "
        "that it does not exist, and you get mail.",
    )


class RevokeForm(forms.Form):
    reason = forms.ChoiceField(
        label="Why",
        choices=[(reason.value, reason.label) for reason in CHOSEN_REASONS],
        initial=Reason.USER,
        widget=forms.RadioSelect,
        help_text="If it may be in wrong hands, answers that it is getting just now are cut off.",
    )


class RotateForm(forms.Form):
    grace = forms.TypedChoiceField(
        label="How long the old key goes on working",
        choices=GRACES,
        coerce=int,
        initial=24,
        widget=forms.Select(attrs={"class": "input"}),
        help_text="Put the new key in place within this time; the old one ends by itself.",
    )

    @property
    def until(self) -> datetime:
        return timezone.now() + timedelta(hours=self.cleaned_data["grace"])


class FreezeForm(forms.Form):
    sign_out = forms.BooleanField(
        required=False,
        help_text="For when somebody may be signed in who should not be. You stay signed in; the "
        "others sign in again.",
    )

    def __init__(self, *args: Any, others: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.others = others  # members
        whom = "the one other member" if others == 1 else f"the {others} other members"
        self.fields["sign_out"].label = f"Sign out {whom}, too"


class LeakPolicyForm(forms.Form):
    leak_policy = forms.ChoiceField(
        label="When somebody reports one of these keys as leaked",
        choices=LeakPolicy.choices,
        widget=forms.Select(attrs={"class": "input"}),
    )


def initial_of(api_key: APIKey) -> dict[str, Any]:
    """A key as its form shows it; moments to the minute, as browsers do."""
    initial: dict[str, Any] = {name: getattr(api_key, name) for name in Settings.__annotations__}
    if api_key.expires_at:
        initial["expires_at"] = api_key.expires_at.astimezone(UTC).replace(second=0, microsecond=0)
    return initial
