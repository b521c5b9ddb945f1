"""What operators fill in to tell everybody how the server is doing. Moments are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from accounts.audit import Actor
from billing.by_hand_forms import UTCField
from dashboard.status import wording
from dashboard.status.facts import is_public
from dashboard.status.incidents import OPEN_STATES, STATES, Incident
from dashboard.status.maintenance import Maintenance
from dashboard.status.parts import Impact, Part
from dashboard.status.updates import Saying
from dashboard.status.wording import Wording
from gateway.catalog import offers_now

TITLE = {"class": "vTextField", "maxlength": 120}


class TextField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(
            label="What to say",
            max_length=4000,
            widget=forms.Textarea({"class": "vLargeTextField", "rows": 5}),
            help_text="On the status page, in the feed, and by mail to everybody who asked for it.",
            error_messages={"required": "Say something."},
        )


class TellForm(forms.Form):
    """One act of telling. ``act`` raises ValidationError, by field."""

    title_of_page: ClassVar[str]
    explained: ClassVar[str]
    button: ClassVar[str]
    wordings: ClassVar[Mapping[str, Wording]]
    use_required_attribute = False  # errors are said beside their field

    def __init__(self, about: Any = None, data: Any = None, words: str = "") -> None:
        chosen = self.wordings[words].fields if words in self.wordings else {}
        super().__init__(data, label_suffix="", initial=self.now(about) | chosen)
        self.about = about

    @staticmethod
    def now(about: Any) -> dict[str, Any]:
        """How what it is about is at present, where the form asks for that."""
        return {}

    def act(self, by: Actor) -> str:
        """Do it; what there is to say afterwards."""
        raise NotImplementedError


class AffectedForm(TellForm):
    """Of something new: what it is called, and what it concerns."""

    title = forms.CharField(
        max_length=120,
        widget=forms.TextInput(TITLE),
        error_messages={"required": "Give it a title."},
    )
    text = TextField()
    parts = forms.MultipleChoiceField(
        required=False, choices=Part.choices, widget=forms.CheckboxSelectMultiple
    )
    model_ids = forms.MultipleChoiceField(
        label="Models",
        required=False,
        widget=forms.SelectMultiple({"size": 6}),
        help_text="Choose several with Ctrl or Cmd.",
    )

    def __init__(self, about: Any = None, data: Any = None, words: str = "") -> None:
        super().__init__(about, data, words)
        names = [offer.model_id for offer in offers_now() if is_public(offer)]
        self.fields["model_ids"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


class OpenForm(AffectedForm):
    title_of_page = "Publish an incident"
    explained = "A major or critical one is said on top of every page of members, too."
    button = "Publish it"
    wordings = wording.INCIDENT
    impact = forms.ChoiceField(choices=Impact.choices, initial=Impact.MINOR)
    state = forms.ChoiceField(
        label="How far it is", choices=[(state.value, state.label) for state in OPEN_STATES]
    )
    begun_at = UTCField(required=False, label="Since (UTC)", help_text="Empty: since now.")
    field_order = ["title", "impact", "state", "text", "parts", "model_ids", "begun_at"]

    def act(self, by: Actor) -> str:
        incident = Incident.objects.open(by=by, **self.cleaned_data)
        return f"Published: {incident}."


class UpdateForm(TellForm):
    title_of_page = "Say how far it is"
    explained = "Choose “Resolved” when it is over; then nothing more can be said of it."
    button = "Publish it"
    wordings = wording.UPDATE
    state = forms.ChoiceField(label="How far it is", choices=STATES)
    impact = forms.ChoiceField(choices=Impact.choices)
    text = TextField()

    @staticmethod
    def now(about: Incident) -> dict[str, Any]:
        return {"state": about.state, "impact": about.impact}

    def act(self, by: Actor) -> str:
        state, text = self.cleaned_data["state"], self.cleaned_data["text"]
        if state == Saying.RESOLVED:
            self.about.resolve(text, by=by)
            return f"Resolved: {self.about}."
        self.about.update(state, text, by=by, impact=self.cleaned_data["impact"])
        return f"Published: {self.about}."


class PlanForm(AffectedForm):
    title_of_page = "Plan maintenance"
    explained = "It begins and ends by itself at these moments, unless you say otherwise."
    button = "Announce it"
    wordings = wording.PLAN
    starts_at = UTCField(label="From (UTC)", help_text="Still to come.")
    ends_at = UTCField(label="Until (UTC)")
    field_order = ["title", "starts_at", "ends_at", "text", "parts", "model_ids"]

    def act(self, by: Actor) -> str:
        maintenance = Maintenance.objects.plan(by=by, **self.cleaned_data)
        return f"Announced: {maintenance}."


class ChangeForm(TellForm):
    title_of_page = "Say something of the maintenance"
    explained = "What is over cannot be taken up again; plan another one."
    button = "Publish it"
    wordings = wording.CHANGE
    do = forms.ChoiceField(
        label="And",
        choices=[
            ("say", "leave it at that"),
            ("begin", "let it begin now"),
            ("end", "end it now, or call it off"),
        ],
        widget=forms.RadioSelect,
        initial="say",
    )
    ends_at = UTCField(required=False, label="Until (UTC)")
    text = TextField()

    @staticmethod
    def now(about: Maintenance) -> dict[str, Any]:
        return {"ends_at": about.ends_at}

    def act(self, by: Actor) -> str:
        said, do = self.cleaned_data["text"], self.cleaned_data["do"]
        if do == "begin":
            begun = self.about.begin(said, by=by)
            return f"Under way: {self.about}." if begun else "It was under way already."
        if do == "end":
            self.about.end(said, by=by)
            return f"Over since {timezone.now():%H:%M} UTC: {self.about}."
        self.about.update(said, by=by, ends_at=self.moved_end)
        return f"Published: {self.about}."

    @property
    def moved_end(self) -> Any:
        """The end, if it is another one; shown to the minute, it would cut off the seconds."""
        return self.cleaned_data["ends_at"] if "ends_at" in self.changed_data else None
