"""What operators see of plans and subscriptions at ``/ops/``, and what they do about them."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from billing import granting
from billing.by_hand_forms import ACTS
from billing.credit_admin import CreditAdmin as CreditAdmin
from billing.credit_forms import CreditForm
from billing.models import Plan, Subscription
from billing.money_admin import InvoiceAdmin as InvoiceAdmin
from billing.override_admin import OverrideInline
from billing.trial_admin import TrialAdmin as TrialAdmin

IN_BULK = "Chosen in a list."  # the reason, where none can be entered


@admin.register(Plan)
class PlanAdmin(ViewOnly, admin.ModelAdmin):
    list_display = [
        *("name", "slug", "price_in_words", "interval_months", "limits", "trial", "trial_days"),
        *("retention_class", "retired_at"),
    ]
    list_filter = ["trial", ("retired_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "slug"]


@admin.register(Subscription)
class SubscriptionAdmin(ViewOnly, admin.ModelAdmin):
    list_display = [
        *("account", "plan", "status", "started_at", "current_period_end", "stripe_id"),
        *("limit_overrides", "retention_class"),
    ]
    list_select_related = ["account", "plan"]
    list_filter = ["plan", "status", "retention_override"]
    search_fields = ["account__name", "account__members__email", "stripe_id"]
    inlines = [OverrideInline]
    acts = ACTS | {"credit": CreditForm}
    actions = ["renew", "expire", "extend_retention", "follow_plan_retention"]

    @admin.action(description="Renew for another period", permissions=["change"])
    def renew(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        by = Actor.operator(request)
        done = self._each(request, chosen, lambda one: granting.renew(one, by=by))
        messages.success(request, f"Renewed {done}.")

    @admin.action(description="End now", permissions=["change"])
    def expire(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        by = Actor.operator(request)
        done = self._each(request, chosen, lambda one: granting.end(one, reason=IN_BULK, by=by))
        messages.success(request, f"Ended {done}. Renew, or grant another plan, to undo it.")

    @staticmethod
    def _each(
        request: HttpRequest, chosen: QuerySet[Subscription], act: Callable[[Subscription], None]
    ) -> int:
        """Do it to each; how many it was done to. Where it was not, it is said why."""
        done = 0
        for subscription in chosen:
            try:
                act(subscription)
            except ValidationError as error:
                messages.warning(request, f"{subscription}: {' '.join(error.messages)}")
            else:
                done += 1
        return done

    @admin.action(description="Keep requests for the extended time", permissions=["change"])
    def extend_retention(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        self._keep_logs(request, chosen, Plan.RetentionClass.EXTENDED)

    @admin.action(description="Keep requests as the plan says", permissions=["change"])
    def follow_plan_retention(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        self._keep_logs(request, chosen, "")

    @staticmethod
    def _keep_logs(
        request: HttpRequest, chosen: QuerySet[Subscription], retention_class: str
    ) -> None:
        for subscription in chosen:
            subscription.keep_logs(retention_class, by=Actor.operator(request))
        messages.success(
            request,
            f"Changed {len(chosen)}. It holds for requests from now on, not for older ones.",
        )
