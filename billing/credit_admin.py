"""The credits that operators gave: what became of each, and what can be done about it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from billing.credit_forms import AskAgainForm, TakeBackForm
from billing.models import Credit
from billing.money_admin import OnlyToSee

STATES = {
    "waiting": ("On its way", Q(next_attempt_at__isnull=False)),
    "refused": ("Refused by Stripe", Q(next_attempt_at=None, given_at=None)),
    "given": ("Given", Q(given_at__isnull=False, revoked_at=None)),
    "taken-back": ("Taken back", Q(taken_back_at__isnull=False)),
}


class InState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in STATES.items()]

    def queryset(self, request: HttpRequest, rows: QuerySet[Credit]) -> QuerySet[Credit]:
        _, wanted = STATES.get(self.value() or "", ("", Q()))
        return rows.filter(wanted)


@admin.register(Credit)
class CreditAdmin(OnlyToSee):
    list_display = ["account", "in_words", "state", "words", "failed_because", "created_at"]
    list_select_related = ["account"]
    list_filter = [InState, "mode"]
    search_fields = ["account__name", "words", "reason", "stripe_id", "reversal"]
    acts = {"take-back": TakeBackForm, "ask-again": AskAgainForm}
    fields = [
        *("account", "in_words", "state", "failed_because", "words", "reason", "created_by"),
        *("created_at", "given_at", "revoked_at", "taken_back_at", "next_attempt_at"),
        *("customer", "stripe_id", "reversal", "mode"),
    ]

    @admin.display(description="Amount", ordering="amount")
    def in_words(self, credit: Credit) -> str:
        return credit.in_words

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "in_words", "state"]
