"""The pages at ``/ops/`` on which operators tell of incidents and maintenance."""

from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from dashboard.status import banner
from dashboard.status.incidents import Incident
from dashboard.status.maintenance import Maintenance
from dashboard.status.ops_forms import ChangeForm, OpenForm, PlanForm, TellForm, UpdateForm
from dashboard.status.updates import Update


def tell_page(
    site: AdminSite, model: type[Model], address: str, form_class: type[TellForm]
) -> URLPattern:
    """A form to see, and to send; ``?words=`` fills it at first."""
    listed = f"admin:dashboard_{model._meta.model_name}_changelist"

    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, object_id: int | None = None) -> HttpResponse:
        if not request.user.has_perm(f"dashboard.change_{model._meta.model_name}"):
            raise PermissionDenied
        about = get_object_or_404(model, pk=object_id) if object_id else None
        data = request.POST if request.method == "POST" else None
        form = form_class(about, data, request.GET.get("words", ""))
        if form.is_valid() and _is_done(form, request):
            return redirect(listed)
        context = site.each_context(request) | {
            "form": form,
            "title": form.title_of_page,
            "opts": model._meta,
            "listed": listed,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "status/ops.html", context, status=status)

    name = f"dashboard_{model._meta.model_name}_{address.rpartition('/')[2]}"
    return path(f"{address}/", site.admin_view(view), name=name)


def _is_done(form: TellForm, request: HttpRequest) -> bool:
    """Do it, and say so; else the form says why not."""
    try:
        said = form.act(Actor.operator(request))
    except ValidationError as error:
        form.add_error(None, error)
        return False
    banner.renew()
    messages.success(request, said)
    return True


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

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            tell_page(site, Incident, "open", OpenForm),
            tell_page(site, Incident, "<int:object_id>/update", UpdateForm),
            *super().get_urls(),
        ]


@admin.register(Maintenance)
class MaintenanceAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["title", "starts_at", "ends_at", "begun_at", "ended_at"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "updates__text"]
    inlines = [UpdateInline]

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            tell_page(site, Maintenance, "plan", PlanForm),
            tell_page(site, Maintenance, "<int:object_id>/update", ChangeForm),
            *super().get_urls(),
        ]
