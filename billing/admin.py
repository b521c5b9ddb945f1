"""What operators see of plans and subscriptions at ``/ops/``."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from billing.models import Plan, Subscription


@admin.register(Plan)
class PlanAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["name", "slug", "interval_months", "limits", "retention_class", "retired_at"]


@admin.register(Subscription)
class SubscriptionAdmin(ViewOnly, admin.ModelAdmin):
    list_display = [
        *("account", "plan", "status", "started_at", "current_period_end"),
        "retention_class",
    ]
    list_select_related = ["account", "plan"]
    list_filter = ["plan", "status", "retention_override"]
    search_fields = ["account__name"]
    actions = ["renew", "expire", "extend_retention", "follow_plan_retention"]

    @admin.action(description="Renew for another period", permissions=["change"])
    def renew(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        for subscription in chosen.select_related("plan"):
            subscription.renew(subscription.next_period_end, by=Actor.operator(request))
        messages.success(request, f"Renewed {len(chosen)}.")

    @admin.action(description="End now: every key is refused", permissions=["change"])
    def expire(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        for subscription in chosen:
            subscription.expire(by=Actor.operator(request))
        messages.success(request, f"Ended {len(chosen)}. Renew, or start another plan, to undo it.")

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
            subscription.keep_logs(retention_class)
        messages.success(
            request,
            f"Changed {len(chosen)}. It holds for requests from now on, not for older ones.",
        )
