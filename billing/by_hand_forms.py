"""What operators fill in to change a plan by hand. Moments are entered and shown as UTC."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from django.urls import reverse

from accounts.acts import ActForm, ReasonField, UTCField
from accounts.audit import Actor
from billing import granting
from billing.limits import NAMES
from billing.models import Override, Plan, Subscription


class PlanForm(ActForm):
    """One act on a subscription."""

    acts_on: ClassVar[type[Model]] = Subscription
    permission = "billing.change_subscription"
    refused_by_stripe: ClassVar[bool] = True

    @property
    def subscription(self) -> Subscription:
        found: Subscription = self.row
        return found

    @property
    def about(self) -> str:
        one = self.subscription
        lasts = f", {granting.until_words(one.current_period_end)}" if one.is_served else ""
        return f"{one}: {one.get_status_display().lower()}{lasts}."

    @property
    def refusal(self) -> str:
        return granting.refusal(self.subscription) if self.refused_by_stripe else ""

    @property
    def afterwards(self) -> str:
        return reverse("admin:billing_subscription_change", args=[self.subscription.pk])


class GrantForm(PlanForm):
    title_of_page = "Grant a plan"
    explained = "It holds from now on, in every process, and nothing is charged for it."
    button = "Grant this plan"
    plan = forms.ModelChoiceField(
        Plan.objects.none(), empty_label="Choose one", error_messages={"required": "Choose a plan."}
    )
    until = UTCField(
        required=False,
        label="Until (UTC)",
        help_text="Empty: for good. A trial without a moment lasts as long as its plan says.",
    )
    reason = ReasonField()

    def __init__(self, row: Subscription, data: Any = None, words: str = "") -> None:
        super().__init__(row, data, words)
        current = Plan.objects.filter(pk=row.plan_id)
        self.fields["plan"].queryset = Plan.objects.on_offer() | current  # type: ignore[attr-defined]

    def act(self, by: Actor) -> str:
        granting.grant(self.subscription, by=by, **self.cleaned_data)
        return f"{self.subscription} {granting.until_words(self.subscription.current_period_end)}."


class ExtendForm(PlanForm):
    title_of_page = "Extend until"
    explained = "The plan stays as it is and lasts longer. One that has ended begins again now."
    button = "Extend"
    until = UTCField(label="Until (UTC)", help_text="Later than it lasts now.")
    reason = ReasonField()

    def act(self, by: Actor) -> str:
        granting.extend(self.subscription, by=by, **self.cleaned_data)
        return f"{self.subscription} {granting.until_words(self.subscription.current_period_end)}."


class EndForm(PlanForm):
    title_of_page = "End now"
    explained = (
        "Every key of this account is refused at once. Where there is a plan that is free for "
        "good, the account goes on with that one."
    )
    button = "End it now"
    is_dangerous = True
    reason = ReasonField()

    def act(self, by: Actor) -> str:
        granting.end(self.subscription, by=by, **self.cleaned_data)
        if self.subscription.is_served:
            return f"Ended. {self.subscription} from now on."
        return "Ended. Every key of this account is refused."


class OverrideForm(PlanForm):
    title_of_page = "Add an override"
    explained = (
        "What is filled in replaces the limit of the plan, also after a change of plan; what is "
        "empty stays as the plan has it. A limit of the plan cannot be taken away, only be set so "
        "high that nobody meets it."
    )
    button = "Agree on these limits"
    permission = "billing.add_override"
    refused_by_stripe = False
    starts_at = UTCField(required=False, label="From (UTC)", help_text="Empty: from now on.")
    ends_at = UTCField(
        required=False, label="Until (UTC)", help_text="Empty: until somebody ends it."
    )
    reason = ReasonField()

    def __init__(self, row: Subscription, data: Any = None, words: str = "") -> None:
        super().__init__(row, data, words)
        for name, (unit, window) in NAMES.items():
            self.fields[name] = forms.IntegerField(
                label=f"{unit.capitalize()} per {window}",
                required=False,
                min_value=0,
                max_value=2**53 - 1,
                help_text=self._holding(name),
            )
        self.order_fields([*NAMES, "starts_at", "ends_at", "reason"])

    def _holding(self, name: str) -> str:
        """What the plan says of a limit, and what was agreed instead."""
        limits = self.subscription.plan.limits
        said = f"The plan: {limits[name]:,}." if name in limits else "The plan: no limit."
        if name in self.subscription.limit_overrides:
            said += f" Agreed: {self.subscription.limit_overrides[name]:,}."
        return said

    @property
    def amounts(self) -> dict[str, int]:
        given = {name: self.cleaned_data.get(name) for name in NAMES}
        return {name: amount for name, amount in given.items() if amount is not None}

    def clean(self) -> dict[str, Any]:
        if not self.amounts and not any(name in self.errors for name in NAMES):
            self.add_error(None, "Fill in at least one limit.")
        return self.cleaned_data

    def act(self, by: Actor) -> str:
        terms = {name: self.cleaned_data[name] for name in ("starts_at", "ends_at", "reason")}
        override = Override.objects.agree(self.subscription, limits=self.amounts, by=by, **terms)
        return f"Agreed with {self.subscription.account} {granting.until_words(override.ends_at)}."


class EndOverrideForm(PlanForm):
    """Of one override; there is nothing to fill in."""

    acts_on = Override
    title_of_page = "End an override"
    explained = "From now on the limits of the plan hold instead, and what else was agreed."
    button = "End it now"
    permission = "billing.change_override"
    refused_by_stripe = False

    @property
    def subscription(self) -> Subscription:
        return self.row.subscription  # type: ignore[no-any-return]

    @property
    def about(self) -> str:
        return f"{self.subscription.account}: {self.row.in_words} ({self.row.reason})"

    def act(self, by: Actor) -> str:
        return f"Ended: {self.row.reason}." if self.row.end(by=by) else "It was over already."


ACTS: dict[str, type[ActForm]] = {
    "grant": GrantForm,
    "extend": ExtendForm,
    "end": EndForm,
    "override": OverrideForm,
}
