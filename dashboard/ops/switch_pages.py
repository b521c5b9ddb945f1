"""What operators have switched off, on one page at ``/ops/``, and the acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from accounts.acts import ActForm, ReasonField
from accounts.audit import Actor
from accounts.features import FEATURES, Feature
from accounts.view_only import ViewOnly
from dashboard import switches
from dashboard.switches import Switch

PERMISSION = "dashboard.change_switch"
WHY = "Goes on record. People do not read it."


class SwitchForm(ActForm):
    """One act on a feature; ``?words=`` chooses which. Every process knows within seconds."""

    acts_on = Switch
    permission = PERMISSION
    nothing_to_choose: str
    feature = forms.ChoiceField(
        label="What",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose one.",
            "invalid_choice": "Somebody was faster: look at the list again.",
        },
    )

    def __init__(self, row: None = None, data: Any = None, words: str = "") -> None:
        super().__init__(row, data)
        self.initial["feature"] = words
        choices = [(one.name, f"{one}. {one.stops}") for one in self.features()]
        self.fields["feature"].choices = choices  # type: ignore[attr-defined]

    def features(self) -> list[Feature]:
        """Those that this can be done to."""
        raise NotImplementedError

    @property
    def refusal(self) -> str:
        return "" if self.features() else self.nothing_to_choose

    def act(self, by: Actor) -> str:
        said = self.switch(FEATURES[self.cleaned_data["feature"]], by)
        switches.renew()
        return said

    def switch(self, feature: Feature, by: Actor) -> str:
        """Do it; what there is to say afterwards."""
        raise NotImplementedError


class OffForm(SwitchForm):
    title_of_page = "Switch something off"
    explained = "It holds everywhere within five seconds, and until somebody switches it on again."
    button = "Switch it off"
    is_dangerous = True
    nothing_to_choose = "Everything is off already."
    reason = ReasonField(WHY)
    words = forms.CharField(
        label="What people read",
        required=False,
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        help_text="In the place of what is gone. Empty: our own words, as on the list.",
    )

    def features(self) -> list[Feature]:
        off = Switch.objects.off().values_list("name", flat=True)
        return [one for name, one in FEATURES.items() if name not in off]

    def switch(self, feature: Feature, by: Actor) -> str:
        reason, words = self.cleaned_data["reason"], self.cleaned_data["words"]
        Switch.objects.turn_off(feature, reason=reason, words=words, by=by)
        return f"Switched off: {feature}."


class OnForm(SwitchForm):
    title_of_page = "Switch something on again"
    explained = "It holds everywhere within five seconds."
    button = "Switch it on"
    nothing_to_choose = "Everything is on."
    reason = ReasonField(WHY)

    def features(self) -> list[Feature]:
        off = Switch.objects.off().values_list("name", flat=True)
        return [one for name, one in FEATURES.items() if name in off]

    def switch(self, feature: Feature, by: Actor) -> str:
        Switch.objects.turn_on(feature, reason=self.cleaned_data["reason"], by=by)
        return f"Switched on: {feature}."


@admin.register(Switch)
class SwitchAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    new = {"off": OffForm, "on": OnForm}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Every feature, with how it is; also those that nobody ever switched off."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied("Your role as an operator does not allow this.")
        off = {switch.name: switch for switch in Switch.objects.off()}
        context = {
            **self.admin_site.each_context(request),
            "title": "Switches",
            "lines": [(one, off.get(name)) for name, one in FEATURES.items()],
            "may_switch": request.user.has_perm(PERMISSION),
        }
        return TemplateResponse(request, "ops/switches.html", context)
