"""The pages at ``/ops/`` on which operators tell of incidents and maintenance."""

from django.contrib import admin

from accounts.view_only import ViewOnly
from dashboard.status.incidents import Incident
from dashboard.status.maintenance import Maintenance
from dashboard.status.ops_forms import ChangeForm, OpenForm, PlanForm, UpdateForm
from dashboard.status.updates import Update


class UpdateInline(ViewOnly, admin.TabularInline):  # type: ignore[type-arg]  # in the stubs only
    model = Update
    extra = 0
    fields = ["at", "saying", "text"]


@admin.register(Incident)
class IncidentAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["title", "impact", "state", "begun_at", "resolved_at"]
    list_filter = ["impact", ("resolved_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "updates__text"]
    inlines = [UpdateInline]
    new = {"open": OpenForm}
    acts = {"update": UpdateForm}


@admin.register(Maintenance)
class MaintenanceAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["title", "starts_at", "ends_at", "begun_at", "ended_at"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "updates__text"]
    inlines = [UpdateInline]
    new = {"plan": PlanForm}
    acts = {"update": ChangeForm}
