"""What operators see of the catalogue at ``/ops/``; it is changed in its file."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from gateway.models import LanguageModel, ModelRoute, Provider


class RouteInline(ViewOnly, admin.TabularInline):
    model = ModelRoute
    extra = 0


@admin.register(Provider)
class ProviderAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["name", "slug", "base_url", "credential_env"]


@admin.register(ModelRoute)
class RouteAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["model", "provider", "upstream_model", "priority", "weight", "disabled_at"]
    list_filter = ["provider", ("disabled_at", admin.EmptyFieldListFilter)]
    list_select_related = ["model", "provider"]
    search_fields = ["model__model_id", "upstream_model"]
    actions = ["switch_off", "switch_on"]

    @admin.action(description="Switch off: ask other routes from now on")
    def switch_off(self, request: HttpRequest, routes: QuerySet[ModelRoute]) -> None:
        for route in routes:
            route.switch_off(by=Actor.operator(request))

    @admin.action(description="Switch on")
    def switch_on(self, request: HttpRequest, routes: QuerySet[ModelRoute]) -> None:
        for route in routes:
            route.switch_on(by=Actor.operator(request))


@admin.register(LanguageModel)
class LanguageModelAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["model_id", "owned_by", "kind", "context_window", "disabled_at"]
    list_filter = ["kind", "owned_by"]
    search_fields = ["model_id", "aliases"]
    inlines = [RouteInline]
