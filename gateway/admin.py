"""What operators see of the catalogue at ``/ops/``; it is changed in its file."""

from django.contrib import admin

from accounts.view_only import ViewOnly
from gateway.models import LanguageModel, ModelRoute, Provider


class RouteInline(ViewOnly, admin.TabularInline):
    model = ModelRoute
    extra = 0


@admin.register(Provider)
class ProviderAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["name", "slug", "base_url", "credential_env"]


@admin.register(LanguageModel)
class LanguageModelAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["model_id", "owned_by", "kind", "context_window", "disabled_at"]
    list_filter = ["kind", "owned_by"]
    search_fields = ["model_id", "aliases"]
    inlines = [RouteInline]
