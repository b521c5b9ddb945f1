"""What operators fill in to tell everybody how the server is doing. Moments are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.urls import reverse
from django.utils import timezone

from accounts.acts import ActForm, UTCField
from accounts.audit import Actor
from dashboard.status import banner, wording
from dashboard.status.facts import is_public
from dashboard.status.incidents import OPEN_STATES, STATES, Incident
from dashboard.status.maintenance import Maintenance
from dashboard.status.parts import Impact, Part
from dashboard.status.updates import Saying
from dashboard.status.wording import Wording
from gateway.catalog import offers_now


class TextField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(
            label="What to say",
            max_length=4000,
            widget=forms.Textarea({"rows": 5}),
            help_text="On the status page, in the feed, and by mail to everybody who asked for it.",
            error_messages={"required": "Say something."},
        )


class TellForm(ActForm):
    """One act of telling everybody; what they are told on every page is made anew at once."""

    wordings: ClassVar[Mapping[str, Wording]]

    @property
    def afterwards(self) -> str:
        return reverse(f"admin:dashboard_{self.acts_on._meta.model_name}_changelist")

    def act(self, by: Actor) -> str:
        said = self.tell(by)
        banner.renew()
        return said

    def tell(self, by: Actor) -> str:
        """Publish it; what there is to say afterwards."""
        raise NotImplementedError


class AffectedForm(TellForm):
    """Of something new: what it is called, and what it concerns."""

    title = forms.CharField(
        max_length=120,
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

    def __init__(self, row: Any = None, data: Any = None, words: str = "") -> None:
        super().__init__(row, data, words)
        names = [offer.model_id for offer in offers_now() if is_public(offer)]
        self.fields["model_ids"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


class OpenForm(AffectedForm):
    acts_on = Incident
    permission = "dashboard.change_incident"
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

    def tell(self, by: Actor) -> str:
        incident = Incident.objects.open(by=by, **self.cleaned_data)
        return f"Published: {incident}."


class UpdateForm(TellForm):
    acts_on = Incident
    permission = "dashboard.change_incident"
    title_of_page = "Say how far it is"
    explained = "Choose “Resolved” when it is over; then nothing more can be said of it."
    button = "Publish it"
    wordings = wording.UPDATE
    state = forms.ChoiceField(label="How far it is", choices=STATES)
    impact = forms.ChoiceField(choices=Impact.choices)
    text = TextField()

    @staticmethod
    def now(row: Incident) -> dict[str, Any]:
        return {"state": row.state, "impact": row.impact}

    def tell(self, by: Actor) -> str:
        state, text = self.cleaned_data["state"], self.cleaned_data["text"]
        if state == Saying.RESOLVED:
            self.row.resolve(text, by=by)
            return f"Resolved: {self.row}."
        self.row.update(state, text, by=by, impact=self.cleaned_data["impact"])
        return f"Published: {self.row}."


class PlanForm(AffectedForm):
    acts_on = Maintenance
    permission = "dashboard.change_maintenance"
    title_of_page = "Plan maintenance"
    explained = "It begins and ends by itself at these moments, unless you say otherwise."
    button = "Announce it"
    wordings = wording.PLAN
    starts_at = UTCField(label="From (UTC)", help_text="Still to come.")
    ends_at = UTCField(label="Until (UTC)")
    field_order = ["title", "starts_at", "ends_at", "text", "parts", "model_ids"]

    def tell(self, by: Actor) -> str:
        maintenance = Maintenance.objects.plan(by=by, **self.cleaned_data)
        return f"Announced: {maintenance}."


class ChangeForm(TellForm):
    acts_on = Maintenance
    permission = "dashboard.change_maintenance"
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
    def now(row: Maintenance) -> dict[str, Any]:
        return {"ends_at": row.ends_at}

    def tell(self, by: Actor) -> str:
        said, do = self.cleaned_data["text"], self.cleaned_data["do"]
        if do == "begin":
            begun = self.row.begin(said, by=by)
            return f"Under way: {self.row}." if begun else "It was under way already."
        if do == "end":
            self.row.end(said, by=by)
            return f"Over since {timezone.now():%H:%M} UTC: {self.row}."
        self.row.update(said, by=by, ends_at=self.moved_end)
        return f"Published: {self.row}."

    @property
    def moved_end(self) -> Any:
        """The end, if it is another one; shown to the minute, it would cut off the seconds."""
        return self.cleaned_data["ends_at"] if "ends_at" in self.changed_data else None
