"""What operators see of the limits that were agreed with single accounts."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.view_only import ViewOnly
from billing import clock
from billing.by_hand_forms import EndOverrideForm
from billing.models import Override


class Shown(ViewOnly):
    """An override with its state, and the way to end it while that is possible."""

    @admin.display(description="Limits")
    def agreed(self, override: Override) -> str:
        return override.in_words

    @admin.display(description="State")
    def state(self, override: Override) -> str:
        now = clock.now()
        if override.is_over(now):
            return "over"
        return "in effect" if override.is_in_effect(now) else "planned"

    @admin.display(description="")
    def way_to_end(self, override: Override) -> str:
        if override.is_over(clock.now()):
            return ""
        return format_html(
            '<a href="{}">End it</a>', reverse("admin:billing_override_end", args=[override.pk])
        )

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "agreed", "state", "way_to_end"]

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class OverrideInline(Shown, admin.TabularInline):  # type: ignore[type-arg]
    model = Override
    fields = ["agreed", "reason", "starts_at", "ends_at", "created_by", "state", "way_to_end"]
    extra = 0
    show_change_link = False


class InEffect(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "In effect"), ("planned", "Planned"), ("over", "Over")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Override]) -> QuerySet[Override]:
        now = clock.now()
        over = Q(ends_at__lte=now)
        asked = {
            "now": Q(starts_at__lte=now) & ~over,
            "planned": Q(starts_at__gt=now) & ~over,
            "over": over,
        }
        return rows.filter(asked.get(self.value() or "", Q()))


@admin.register(Override)
class OverrideAdmin(Shown, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = [
        *("account", "agreed", "reason", "state", "way_to_end", "starts_at", "ends_at"),
        "created_by",
    ]
    list_select_related = ["subscription__account", "subscription__plan"]
    list_filter = [InEffect]
    acts = {"end": EndOverrideForm}
    search_fields = ["reason", "created_by", "subscription__account__name"]
    ordering = ["-starts_at", "-pk"]
    exclude = ["limits"]
    fields = [
        *("subscription", "agreed", "reason", "starts_at", "ends_at", "created_at", "created_by"),
        *("state", "way_to_end"),
    ]

    @admin.display(description="Account", ordering="subscription__account__name")
    def account(self, override: Override) -> str:
        return str(override.subscription.account)
