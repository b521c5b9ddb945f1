"""What operators see of users, accounts and keys at ``/ops/``."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.audit import Actor, AuditEntry
from accounts.key_rules import Reason
from accounts.models import Account, APIKey, Membership, User
from accounts.view_only import ViewOnly


class MembershipInline(ViewOnly, admin.TabularInline):
    model = Membership
    extra = 0


@admin.register(User)
class UserAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["email", "is_staff", "is_active", "date_joined", "last_login"]
    search_fields = ["email"]
    ordering = ["-date_joined"]
    exclude = ["password", "groups", "user_permissions", "first_name", "last_name"]


@admin.register(Account)
class AccountAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["name", "pk", "created_at", "suspended_at"]
    search_fields = ["name", "members__email"]
    inlines = [MembershipInline]


@admin.register(APIKey)
class APIKeyAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["name", "hint", "account", "created_at", "last_used_at", "state"]
    list_select_related = ["account"]
    search_fields = ["name", "hint", "account__name"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[APIKey]) -> None:
        for api_key in chosen:
            api_key.revoke(by=Actor.operator(request), reason=Reason.OPERATOR)
        messages.success(request, f"Revoked {len(chosen)}. Programs that send them are refused.")


@admin.register(AuditEntry)
class AuditEntryAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ["at", "actor", "label", "about", "chain", "number", "ip"]
    list_filter = ["action"]
    search_fields = ["actor", "about", "ip"]
    ordering = ["-pk"]
    exclude = ["mac"]
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
