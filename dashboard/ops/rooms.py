"""What is where at ``/ops/``: the list beside each page, in the order of what operators ask."""

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Door:
    """A page of its own, or the list of a model (``app.model``)."""

    name: str
    leads_to: str
    icon: str
    permission: str = ""  # without which nobody goes through; that of a list is its own

    @property
    def url(self) -> str:
        app, dot, model = self.leads_to.partition(".")
        return reverse(f"admin:{app}_{model}_changelist" if dot else f"admin:{app}")


WALLS: dict[str, tuple[Door, ...]] = {
    "Now": (
        Door("Start", "index", "gauge"),
        Door("Search", "search", "search"),
        Door("Incidents", "dashboard.incident", "siren"),
        Door("Maintenance", "dashboard.maintenance", "wrench"),
        Door("Requests for help", "dashboard.supportrequest", "life-buoy"),
    ),
    "People": (
        Door("Accounts", "accounts.account", "building-2"),
        Door("Users", "accounts.user", "users"),
        Door("API keys", "accounts.apikey", "key-round"),
        Door("Trials", "billing.trial", "hourglass"),
        Door("Abuse", "abuse", "shield-alert", "accounts.view_apikey"),
    ),
    "Models": (
        Door("Providers", "gateway.provider", "plug"),
        Door("Routes", "gateway.modelroute", "route"),
        Door("Models", "gateway.languagemodel", "boxes"),
    ),
    "Money": (
        Door("Subscriptions", "billing.subscription", "credit-card"),
        Door("Overrides", "billing.override", "sliders-horizontal"),
        Door("Credits", "billing.credit", "gift"),
        Door("Plans", "billing.plan", "layers"),
        Door("Prices", "billing.price", "layers"),
        Door("Invoices", "billing.invoice", "receipt"),
        Door("Customers", "billing.customer", "circle-user-round"),
        Door("Checkouts", "billing.checkout", "credit-card"),
        Door("Stripe's events", "billing.stripeevent", "inbox"),
        Door("Drifts", "billing.drift", "triangle-alert"),
        Door("Adjusted usage", "usage.usageadjustment", "chart-column"),
    ),
    "Messages": (
        Door("Webhook endpoints", "webhooks.endpoint", "webhook"),
        Door("Deliveries", "webhooks.delivery", "send"),
        Door("Status by mail", "dashboard.subscriber", "mail"),
        Door("Status at URLs", "dashboard.receiver", "external-link"),
    ),
    "House": (
        Door("Announcements", "dashboard.announcement", "megaphone"),
        Door("Switches", "dashboard.switch", "toggle-right"),
    ),
    "Record": (Door("Audit", "accounts.auditentry", "shield-check"),),
}


def walls(site: AdminSite, request: HttpRequest) -> dict[str, list[Door]]:
    """The doors that this operator may go through, by heading."""
    lists = {model._meta.label_lower: pages for model, pages in site._registry.items()}

    def open_to_them(door: Door) -> bool:
        pages = lists.get(door.leads_to)
        if pages is None:
            return not door.permission or request.user.has_perm(door.permission)
        return pages.has_view_permission(request)

    allowed = {
        name: [door for door in doors if open_to_them(door)] for name, doors in WALLS.items()
    }
    return {name: doors for name, doors in allowed.items() if doors}


def here(request: HttpRequest) -> str:
    """What the list beside calls the page that is asked for; empty if it is none of them."""
    doors = (door for doors in WALLS.values() for door in doors)
    return next((door.name for door in doors if door.url == request.path), "")
