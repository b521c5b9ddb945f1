"""What operators see at ``/ops/`` of those who are told of the status, by mail and at URLs."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from dashboard.status.receivers import Receiver
from dashboard.status.subscribers import Subscriber


class ToldAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # in the stubs only
    """Whoever is told can be removed; they can subscribe again."""

    list_filter = [("confirmed_at", admin.EmptyFieldListFilter)]
    ordering = ["-pk"]
    actions = ["remove"]

    @admin.display(description="Of what")
    def told_of(self, somebody: Subscriber | Receiver) -> str:
        return ", ".join(somebody.chosen) or "everything"

    @admin.action(description="Remove: tell them nothing more", permissions=["change"])
    def remove(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Each is on record, by as much of the address as is needed to know it again."""
        several = list(chosen)
        for somebody in several:
            somebody.remove(by=Actor.operator(request))
        messages.success(request, f"Removed {len(several)}. What waited for them is gone as well.")


@admin.register(Subscriber)
class SubscriberAdmin(ToldAdmin):
    list_display = ["email", "told_of", "created_at", "confirmed_at"]
    search_fields = ["email"]


@admin.register(Receiver)
class ReceiverAdmin(ToldAdmin):
    list_display = ["url", "told_of", "created_at", "confirmed_at", "failing_since", "failures"]
    search_fields = ["url"]
    exclude = ["sealed_secret", "challenge"]
