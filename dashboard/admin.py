"""What operators see at ``/ops/`` of webhooks and how their queue is doing, and of the status."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from accounts.view_only import ViewOnly
from dashboard.ops.announcement_pages import AnnouncementAdmin as AnnouncementAdmin
from dashboard.ops.people import AccountAdmin as AccountAdmin
from dashboard.ops.switch_pages import SwitchAdmin as SwitchAdmin
from dashboard.status.ops_pages import IncidentAdmin as IncidentAdmin
from dashboard.status.ops_pages import MaintenanceAdmin as MaintenanceAdmin
from dashboard.status.subscribers_admin import ReceiverAdmin as ReceiverAdmin
from dashboard.status.subscribers_admin import SubscriberAdmin as SubscriberAdmin
from dashboard.support.ops_pages import SupportRequestAdmin as SupportRequestAdmin
from webhooks.models import Delivery, Endpoint
from webhooks.queue import queue


@admin.register(Endpoint)
class EndpointAdmin(ViewOnly, admin.ModelAdmin):
    list_display = [
        *("url", "account", "state", "failing_since", "failures", "disabled_because"),
        "created_at",
    ]
    list_select_related = ["account"]
    list_filter = ["disabled_because", ("failing_since", admin.EmptyFieldListFilter)]
    search_fields = ["url", "account__name"]
    ordering = ["-failing_since", "-pk"]
    exclude = ["sealed_secret", "sealed_previous_secret"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """With the state of the whole queue above the list."""
        return super().changelist_view(request, {**(extra_context or {}), "queue": queue()})


@admin.register(Delivery)
class DeliveryAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["event", "endpoint", "status", "attempts_made", "next_attempt_at"]
    list_select_related = ["event", "endpoint"]
    list_filter = ["status"]
    search_fields = ["event__id", "endpoint__url"]
    show_full_result_count = False
