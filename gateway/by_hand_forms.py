"""What operators fill in to turn providers, routes and models by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.acts import ActForm, ReasonField
from accounts.audit import Actor
from gateway import trial_call
from gateway.models import GREATEST, LanguageModel, ModelRoute, Provider
from gateway.providers import LONGEST_CREDENTIAL

ON_RECORD = "Goes on record."


class ProviderForm(ActForm):
    acts_on = Provider
    permission = "gateway.change_provider"


class DrainForm(ProviderForm):
    title_of_page = "Drain"
    explained = (
        "From half a second from now on no call is begun with it, in any process. What runs comes "
        "to its end; models that have other routes are served by those."
    )
    button = "Drain it"

    @classmethod
    def applies_to(cls, row: Provider) -> bool:
        return not (row.drained_at or row.switched_off_at)

    def act(self, by: Actor) -> str:
        self.row.drain(by=by)
        return f"{self.row} is drained: no call begins with it."


class UndrainForm(ProviderForm):
    title_of_page = "Fill again"
    explained = "From half a second from now on calls begin with it again."
    button = "Fill it again"

    @classmethod
    def applies_to(cls, row: Provider) -> bool:
        return bool(row.drained_at)

    def act(self, by: Actor) -> str:
        self.row.undrain(by=by)
        return f"Calls begin with {self.row} again."


class SwitchOffForm(ProviderForm):
    title_of_page = "Switch off"
    explained = (
        "No call is begun with it, and what runs with it is cut off at once. Whoever has not had a "
        "byte yet is served by another route where there is one."
    )
    button = "Switch it off"
    is_dangerous = True
    reason = ReasonField(ON_RECORD)

    @classmethod
    def applies_to(cls, row: Provider) -> bool:
        return not row.switched_off_at

    def act(self, by: Actor) -> str:
        self.row.switch_off(self.cleaned_data["reason"], by=by)
        return f"{self.row} is switched off."


class SwitchOnForm(ProviderForm):
    title_of_page = "Switch on"
    explained = "From half a second from now on calls begin with it again."
    button = "Switch it on"

    @classmethod
    def applies_to(cls, row: Provider) -> bool:
        return bool(row.switched_off_at)

    def act(self, by: Actor) -> str:
        self.row.switch_on(by=by)
        return f"{self.row} is switched on."


class CredentialForm(ProviderForm):
    title_of_page = "Set credential"
    explained = (
        "It is kept sealed and never shown again, only its last four characters. From half a "
        "second from now on it is sent instead of the one before."
    )
    button = "Set it"
    credential = forms.CharField(
        max_length=LONGEST_CREDENTIAL,
        widget=forms.PasswordInput({"autocomplete": "off"}),
        help_text="The provider's API key, without the word Bearer.",
        error_messages={"required": "Paste the credential."},
    )

    @classmethod
    def applies_to(cls, row: Provider) -> bool:
        return not row.is_here

    def act(self, by: Actor) -> str:
        try:
            self.row.set_credential(self.cleaned_data["credential"], by=by)
        except ValidationError as error:
            raise ValidationError({"credential": error.messages}) from error
        return f"{self.row} has a new credential. Try one of its routes."


class ForgetCredentialForm(ProviderForm):
    title_of_page = "Forget credential"
    explained = "The variable of the environment is used again; without one it cannot be called."
    button = "Forget it"
    is_dangerous = True

    @classmethod
    def applies_to(cls, row: Provider) -> bool:
        return bool(row.sealed_credential)

    def act(self, by: Actor) -> str:
        self.row.forget_credential(by=by)
        return f"The credential of {self.row} is forgotten."


class RouteForm(ActForm):
    acts_on = ModelRoute
    permission = "gateway.change_modelroute"


class TestForm(RouteForm):
    __test__ = False  # to pytest
    title_of_page = "Test call"
    explained = (
        "One tiny real call, past routing, limits and everybody's bill; the provider may charge "
        "you for a handful of tokens. It also works where the route is switched off."
    )
    button = "Call it now"
    not_done = "It does not answer as it should."

    def act(self, by: Actor) -> str:
        call = trial_call.try_route(self.row, by=by)
        said = f"“{call.said}”" if call.said else "nothing more was said"
        status = f", status {call.status}" if call.status else ""
        if not call.ok:
            raise ValidationError(
                f"{str(call.verdict).capitalize()}{status}: {said}. {call.advice}"
            )
        return f"{self.row} answers after {call.ms:,} ms: {said}."


class WeightForm(RouteForm):
    title_of_page = "Weight and priority"
    explained = (
        "Calls go to the lowest priority first; among equals each route gets its share by weight. "
        "What is set here stays, whatever the catalogue file says later."
    )
    button = "Set them"
    weight = forms.IntegerField(
        required=False, min_value=0, max_value=GREATEST, help_text="Empty: as the catalogue says."
    )
    priority = forms.IntegerField(
        required=False, min_value=0, max_value=GREATEST, help_text="Empty: as the catalogue says."
    )

    @staticmethod
    def now(row: ModelRoute) -> dict[str, Any]:
        return {"weight": row.weight_by_hand, "priority": row.priority_by_hand}

    def act(self, by: Actor) -> str:
        self.row.set_weight(self.cleaned_data["weight"], by=by)
        self.row.set_priority(self.cleaned_data["priority"], by=by)
        return f"{self.row}: weight {self.row.weight_now}, priority {self.row.priority_now}."


class RouteOffForm(RouteForm):
    title_of_page = "Switch off"
    explained = (
        "From half a second from now on no call begins this way; what runs comes to its end."
    )
    button = "Switch it off"

    @classmethod
    def applies_to(cls, row: ModelRoute) -> bool:
        return not row.disabled_at

    def act(self, by: Actor) -> str:
        self.row.switch_off(by=by)
        return f"{self.row} is switched off."


class RouteOnForm(RouteForm):
    title_of_page = "Switch on"
    explained = "From half a second from now on calls begin this way again."
    button = "Switch it on"

    @classmethod
    def applies_to(cls, row: ModelRoute) -> bool:
        return bool(row.disabled_at)

    def act(self, by: Actor) -> str:
        self.row.switch_on(by=by)
        return f"{self.row} is switched on."


class ModelForm(ActForm):
    acts_on = LanguageModel
    permission = "gateway.change_languagemodel"


class ModelOffForm(ModelForm):
    title_of_page = "Switch off"
    explained = "Nobody can call it from half a second from now on, and no page offers it."
    button = "Switch it off"
    is_dangerous = True

    @classmethod
    def applies_to(cls, row: LanguageModel) -> bool:
        return not row.disabled_at

    def act(self, by: Actor) -> str:
        self.row.switch_off(by=by)
        return f"{self.row} is switched off."


class ModelOnForm(ModelForm):
    title_of_page = "Switch on"
    explained = "Whoever may call it can do so again from half a second from now on."
    button = "Switch it on"

    @classmethod
    def applies_to(cls, row: LanguageModel) -> bool:
        return bool(row.switched_off_at)

    def act(self, by: Actor) -> str:
        self.row.switch_on(by=by)
        return f"{self.row} is switched on."
