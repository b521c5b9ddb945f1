"""What somebody fills in who wants to be told: where, and of what."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from dashboard.status.facts import is_public
from dashboard.status.receivers import Receiver
from dashboard.status.topics import BROAD, MODELS, Choosing, of_model
from gateway.catalog import offers_now
from webhooks import egress


def each_model() -> list[tuple[str, str]]:
    """Asked when a form is shown or sent, never before."""
    names = [offer.model_id for offer in offers_now() if is_public(offer)]
    return [(of_model(name), name) for name in names]


class TopicsForm(forms.Form):
    """Nothing checked means everything."""

    use_required_attribute = False  # errors are said beside their field

    broad = forms.MultipleChoiceField(
        label="Only of",
        required=False,
        choices=BROAD,
        widget=forms.CheckboxSelectMultiple,
        help_text="Check nothing to be told of everything, also of parts that come later.",
    )
    single = forms.MultipleChoiceField(
        label="Or of single models",
        required=False,
        choices=each_model,
        widget=forms.CheckboxSelectMultiple,
    )

    @classmethod
    def of(cls, somebody: Choosing) -> TopicsForm:
        return cls(initial={"broad": somebody.topics, "single": somebody.topics})

    @property
    def topics(self) -> list[str]:
        """What was chosen; single models say nothing new beside all of them."""
        broad: list[str] = self.cleaned_data["broad"]
        single: list[str] = self.cleaned_data["single"]
        return broad if MODELS in broad else [*broad, *single]


class SubscribeForm(TopicsForm):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        error_messages={
            "required": "Write the address to tell.",
            "invalid": "That is not an e-mail address.",
        },
        widget=forms.EmailInput({"class": "input", "autocomplete": "email"}),
    )

    def clean_email(self) -> str:
        """One spelling for each address, so that nobody is told twice."""
        email: str = self.cleaned_data["email"].lower()
        return email


class ReceiverForm(TopicsForm):
    url = forms.CharField(
        label="URL",
        max_length=Receiver._meta.get_field("url").max_length,
        error_messages={"required": "Write the URL to tell."},
        widget=forms.TextInput(
            {
                "class": "input",
                "placeholder": "https://example.org/status",
                "inputmode": "url",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            egress.parse(url)
        except egress.BadURL as error:
            raise ValidationError(str(error)) from error
        return url
