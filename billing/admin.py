"""What operators see of plans and subscriptions at ``/ops/``."""

from django.contrib import admin

from accounts.view_only import ViewOnly
from billing.models import Plan, Subscription


@admin.register(Plan)
class PlanAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["name", "slug", "interval_months", "limits", "retention_class", "retired_at"]


@admin.register(Subscription)
class SubscriptionAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["account", "plan", "status", "started_at", "current_period_end"]
    list_select_related = ["account", "plan"]
    list_filter = ["plan", "status"]
    search_fields = ["account__name"]
