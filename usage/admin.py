"""What operators see of usage at ``/ops/``: what was added to months that were over."""

from django.contrib import admin

from accounts.view_only import ViewOnly
from usage.models import UsageAdjustment


@admin.register(UsageAdjustment)
class UsageAdjustmentAdmin(ViewOnly, admin.ModelAdmin):
    list_display = [
        *("account", "month", "requests", "tokens"),
        *("first_hour", "last_hour", "recorded_at"),
    ]
    list_select_related = ["account"]
    search_fields = ["account__name"]
