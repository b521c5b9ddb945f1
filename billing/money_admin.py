"""What operators see of money: what was offered, billed and said by Stripe, and what is odd."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from billing.models import Checkout, Customer, Drift, Invoice, Price, StripeEvent


class Rows(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of which there may be very many."""

    show_full_result_count = False


class OnlyToSee(Rows):
    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class Settled(admin.SimpleListFilter):
    """Rows that a moment settles, and those that still wait for it."""

    title = "state"
    parameter_name = "state"
    moment: ClassVar[str]
    words: ClassVar[tuple[str, str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(zip(("open", "settled"), self.words, strict=True))

    def queryset(self, request: HttpRequest, rows: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() not in ("open", "settled"):
            return rows
        return rows.filter(**{f"{self.moment}__isnull": self.value() == "open"})


@admin.register(Price)
class PriceAdmin(OnlyToSee):
    list_display = [
        *("plan", "in_words", "interval_months", "mode", "stripe_id", "created_at"),
        "retired_at",
    ]
    list_select_related = ["plan"]
    list_filter = ["plan", "mode", ("retired_at", admin.EmptyFieldListFilter)]
    search_fields = ["stripe_id", "plan__name"]


@admin.register(Customer)
class CustomerAdmin(OnlyToSee):
    list_display = ["account", "stripe_id", "mode", "read_at", "created_at"]
    list_select_related = ["account"]
    list_filter = ["mode"]
    search_fields = ["stripe_id", "account__name", "account__members__email"]
    ordering = ["-pk"]


@admin.register(Checkout)
class CheckoutAdmin(OnlyToSee):
    list_display = [
        *("account", "price", "state", "refused_because", "created_at", "finished_at"),
        "subscription",
    ]
    list_select_related = ["customer__account", "price__plan"]
    list_filter = ["state", "price__plan"]
    search_fields = ["stripe_id", "subscription", "customer__stripe_id", "customer__account__name"]
    ordering = ["-pk"]

    @admin.display(description="Account", ordering="customer__account__name")
    def account(self, checkout: Checkout) -> str:
        return str(checkout.customer.account)


@admin.register(Invoice)
class InvoiceAdmin(OnlyToSee):
    list_display = [
        *("__str__", "account", "word", "status", "amount", "refund", "dispute", "created_at"),
    ]
    list_select_related = ["account"]
    list_filter = ["status", "dispute"]
    search_fields = ["number", "stripe_id", "subscription", "account__name"]

    @admin.display(description="Total", ordering="total")
    def amount(self, invoice: Invoice) -> str:
        return invoice.in_words

    @admin.display(description="Refunded", ordering="refunded")
    def refund(self, invoice: Invoice) -> str:
        return invoice.refunded_in_words if invoice.refunded else ""


class Processed(Settled):
    moment, words = "processed_at", ("Not processed", "Processed")


@admin.register(StripeEvent)
class StripeEventAdmin(Rows):
    list_display = [
        *("type", "customer", "received_at", "processed_at", "failures", "error", "stripe_id"),
    ]
    list_filter = [Processed, "mode", "type"]
    search_fields = ["stripe_id", "type", "customer"]
    actions = ["look_again"]

    @admin.action(description="Look again", permissions=["change"])
    def look_again(self, request: HttpRequest, chosen: QuerySet[StripeEvent]) -> None:
        for event in chosen:
            event.look_again(by=Actor.operator(request))
        messages.success(request, f"{len(chosen)} will be looked at again within a minute.")


class Mended(Settled):
    moment, words = "mended_at", ("Open", "Seen to")


@admin.register(Drift)
class DriftAdmin(Rows):
    list_display = ["what", "account", "ours", "theirs", "stripe_id", "found_at", "mended_at"]
    list_select_related = ["account"]
    list_filter = [Mended, "what"]
    search_fields = ["stripe_id", "what", "account__name"]
    actions = ["see_to"]

    @admin.action(description="Mark as seen to", permissions=["change"])
    def see_to(self, request: HttpRequest, chosen: QuerySet[Drift]) -> None:
        by = Actor.operator(request)
        marked = sum(drift.see_to(by=by) for drift in chosen.select_related("account"))
        messages.success(request, f"Marked {marked}. What is still so is found again.")
