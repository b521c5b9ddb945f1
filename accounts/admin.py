"""What operators see of the record at ``/ops/``."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.audit import AuditEntry
from accounts.view_only import ViewOnly


@admin.register(AuditEntry)
class AuditEntryAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["at", "actor", "label", "about", "chain", "number", "ip"]
    list_filter = ["action"]
    search_fields = ["actor", "about", "ip"]
    search_help_text = "By whom, to what, or from which address."
    ordering = ["-pk"]
    exclude = ["mac"]
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
