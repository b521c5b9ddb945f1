"""What operators see of providers, routes and models at ``/ops/``, and how they turn them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from gateway import by_hand_forms as forms
from gateway import provider_health
from gateway.models import LanguageModel, ModelRoute, Provider

Context = dict[str, object] | None
ROUTE_FIELDS = ["provider", "upstream_model", "priority_now", "weight_now", "why_closed"]


class RouteInline(ViewOnly, admin.TabularInline):
    model = ModelRoute
    fields = tuple(ROUTE_FIELDS)
    extra = 0

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        return ROUTE_FIELDS


@admin.register(Provider)
class ProviderAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["name", "slug", "base_url"]
    exclude = ["sealed_credential"]
    change_list_template = "ops/providers.html"
    change_form_template = "ops/provider.html"
    acts = {
        "drain": forms.DrainForm,
        "undrain": forms.UndrainForm,
        "off": forms.SwitchOffForm,
        "on": forms.SwitchOnForm,
        "credential": forms.CredentialForm,
        "forget": forms.ForgetCredentialForm,
    }

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        glances = provider_health.providers(provider_health.health_now())
        return super().changelist_view(request, {**(extra_context or {}), "glances": glances})

    def beside(self, request: HttpRequest, row: Provider) -> dict[str, object]:
        """How its routes fare."""
        routes = row.routes.select_related("model", "provider")
        return {"glances": provider_health.of_routes(list(routes), provider_health.health_now())}


@admin.register(ModelRoute)
class RouteAdmin(ViewOnly, admin.ModelAdmin):
    list_display = [
        *("model", "provider", "upstream_model"),
        *("priority_now", "weight_now", "why_closed"),
    ]
    list_filter = ["provider", ("disabled_at", admin.EmptyFieldListFilter)]
    list_select_related = ["model", "provider"]
    search_fields = ["model__model_id", "upstream_model"]
    actions = ["switch_off", "switch_on"]
    acts = {
        "try": forms.TestForm,
        "weight": forms.WeightForm,
        "off": forms.RouteOffForm,
        "on": forms.RouteOnForm,
    }

    @admin.action(description="Switch off: ask other routes from now on", permissions=["change"])
    def switch_off(self, request: HttpRequest, routes: QuerySet[ModelRoute]) -> None:
        for route in routes:
            route.switch_off(by=Actor.operator(request))

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, routes: QuerySet[ModelRoute]) -> None:
        for route in routes:
            route.switch_on(by=Actor.operator(request))


@admin.register(LanguageModel)
class LanguageModelAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["model_id", "owned_by", "kind", "context_window", "disabled_at"]
    list_filter = ["kind", "owned_by"]
    search_fields = ["model_id", "aliases"]
    inlines = [RouteInline]
    acts = {"off": forms.ModelOffForm, "on": forms.ModelOnForm}
