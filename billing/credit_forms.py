"""What operators fill in to credit an account, and to take that back."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings

from accounts.acts import ActForm, ReasonField
from accounts.audit import Actor
from billing import money
from billing.by_hand_forms import PlanForm
from billing.credits import NO_STRIPE
from billing.models import Credit, Plan, Subscription


class CreditForm(PlanForm):
    """Money for an account. The same form, sent twice, gives it once."""

    title_of_page = "Give a credit"
    explained = (
        "Stripe takes it off the next invoice, and what is left of it off the ones after that. "
        "Nothing is paid out. Who looks after the account's money gets a mail with your words, "
        "and sees them on the Billing page."
    )
    button = "Give this credit"
    permission = "billing.add_credit"
    amount = forms.DecimalField(
        max_digits=12,
        error_messages={
            "required": "Enter an amount.",
            "invalid": "Write it as 10 or 10.00.",
            "max_digits": "This is too much.",
        },
    )
    currency = forms.ChoiceField()
    words = forms.CharField(
        label="In words, for the customer",
        max_length=200,
        help_text="Such as: For the outage on Tuesday.",
        error_messages={"required": "Say what it is for."},
    )
    reason = ReasonField()
    token = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)

    def __init__(self, row: Subscription, data: Any = None, words: str = "") -> None:
        super().__init__(row, data, words)
        used = Plan.objects.for_sale().order_by("currency").values_list("currency", flat=True)
        own = row.price.currency if row.price else ""
        known = sorted({*used, own} - {""}, key=lambda one: (one != own, one))
        chooser = self.fields["currency"]
        chooser.choices = [(one, one.upper()) for one in known]  # type: ignore[attr-defined]

    @property
    def refusal(self) -> str:
        return NO_STRIPE if settings.STRIPE.mode == "none" else ""

    def clean(self) -> dict[str, Any]:
        amount, currency = self.cleaned_data.get("amount"), self.cleaned_data.get("currency")
        if amount is not None and currency:
            try:
                self.cleaned_data["amount"] = money.smallest(amount, currency)
            except ValueError as error:
                self.add_error("amount", str(error))
        return self.cleaned_data

    def act(self, by: Actor) -> str:
        account = self.subscription.account
        credit = Credit.objects.give(account, by=by, **self.cleaned_data)
        return f"{credit}: Stripe is told within moments. It is in the list of credits."


class TakeBackForm(ActForm):
    """Of one credit; there is nothing to fill in."""

    acts_on = Credit
    title_of_page = "Take it back"
    explained = (
        "The next invoice is what it would have been without it. Who looks after the account's "
        "money gets a mail. It can be taken back only while nothing of it is used."
    )
    button = "Take it back"
    permission = "billing.change_credit"
    is_dangerous = True

    @property
    def refusal(self) -> str:
        credit: Credit = self.row
        return credit.bound_because

    def act(self, by: Actor) -> str:
        self.row.take_back(by=by)
        return f"{self.row}: Stripe is told within moments."


class AskAgainForm(ActForm):
    """Of one that Stripe refused; there is nothing to fill in."""

    acts_on = Credit
    title_of_page = "Ask Stripe again"
    explained = "For when the reason is gone for which Stripe has refused it."
    button = "Ask again"
    permission = "billing.change_credit"

    @property
    def refusal(self) -> str:
        return "" if self.row.is_refused else "Stripe has not refused it."

    def act(self, by: Actor) -> str:
        asked = self.row.try_again()
        return f"{self.row}: Stripe is asked again." if asked else "It is under way already."
