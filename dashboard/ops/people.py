"""Accounts, keys and users at ``/ops/``: who they are, how they stand, what can be done."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.audit import Actor
from accounts.key_rules import Reason
from accounts.models import Account, APIKey, Membership, User
from accounts.view_only import ViewOnly, offered
from billing.models import Subscription
from dashboard.entries import entries
from dashboard.ops.people_forms import (
    ReinstateForm,
    RevokeForm,
    SignOutForm,
    SuspendForm,
    ViewAsForm,
)
from dashboard.standing import standing_of
from usage import log_store

Context = dict[str, object] | None
FEW = 10  # rows of each kind on the page of an account


class MembershipInline(ViewOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0


@admin.register(User)
class UserAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["email", "is_staff", "is_active", "date_joined", "last_login"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["email"]
    ordering = ["-date_joined"]
    exclude = ["password", "groups", "user_permissions", "first_name", "last_name"]
    inlines = [MembershipInline]
    acts = {"sign-out": SignOutForm}


@admin.register(Account)
class AccountAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "pk", "plan", "created_at", "suspended_at", "frozen_at"]
    list_select_related = ["subscription__plan"]
    list_filter = [
        "subscription__plan",
        "subscription__status",
        ("suspended_at", admin.EmptyFieldListFilter),
        ("deletion_due_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "members__email"]
    ordering = ["-pk"]
    change_form_template = "ops/account.html"
    acts = {"view-as": ViewAsForm, "suspend": SuspendForm, "reinstate": ReinstateForm}

    @admin.display(description="Plan")
    def plan(self, account: Account) -> str:
        subscription = getattr(account, "subscription", None)
        return f"{subscription.plan}, {subscription.get_status_display()}" if subscription else ""

    def beside(self, request: HttpRequest, row: Account) -> dict[str, Any]:
        """With what can be done about its contract."""
        subscription = Subscription.objects.filter(account=row).select_related("plan").first()
        if subscription is None:
            return about(row)
        contracts: Any = self.admin_site.get_model_admin(Subscription)
        page = reverse("admin:billing_subscription_changelist")
        acts = offered(request, contracts.acts, f"{page}{subscription.pk}/{{}}/")
        return about(row) | {"subscription": subscription, "plan_acts": acts}


def about(account: Account) -> dict[str, Any]:
    """Everything that an operator asks of an account, with the pages that tell more."""
    api_keys = {api_key.pk: api_key for api_key in account.api_keys.all()}
    return {
        "standing": standing_of(account),
        "memberships": account.memberships.select_related("user"),
        "api_keys": sorted(api_keys.values(), key=lambda key: key.revoked_at is not None)[:FEW],
        "all_keys": len(api_keys),
        "latest": entries(log_store.page(account.pk, limit=FEW).rows, api_keys),
        "support": account.support_requests.all()[:FEW],
        "invoices": account.invoices.all()[:FEW],
        "audit": account.audit_entries.order_by("-number")[:FEW],
    }


@admin.register(APIKey)
class APIKeyAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "hint", "account", "created_at", "last_used_at", "state"]
    list_select_related = ["account"]
    list_filter = [
        ("revoked_at", admin.EmptyFieldListFilter),
        ("leaked_at", admin.EmptyFieldListFilter),
        "honey",
    ]
    search_fields = ["name", "hint", "account__name"]
    search_help_text = "By name, by the hint that lists of keys show, or by account."
    ordering = ["-pk"]
    exclude = ["digest"]
    show_full_result_count = False
    actions = ["revoke"]
    acts = {"revoke": RevokeForm}

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[APIKey]) -> None:
        for api_key in chosen:
            api_key.revoke(by=Actor.operator(request), reason=Reason.OPERATOR)
        messages.success(request, f"Revoked {len(chosen)}. Programs that send them are refused.")
