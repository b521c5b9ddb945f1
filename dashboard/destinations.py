"""The pages of an account: those of the navigation, and others that are found by their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.urls import reverse

from accounts.features import PLAYGROUND, Feature
from accounts.roles import Right

PLAY, SEE_AUDIT = Right.USE_PLAYGROUND, Right.SEE_AUDIT
KEYS, WEBHOOKS = Right.MANAGE_KEYS, Right.MANAGE_WEBHOOKS


@dataclass(frozen=True, slots=True)
class Destination:
    """A page. ``words`` find it beside its name; ``key`` leads there after ``g``.

    It is there as long as nobody has switched ``feature`` off.
    """

    name: str
    view: str
    icon: str
    key: str = ""
    words: str = ""
    right: Right | None = None
    feature: Feature | None = None

    @property
    def url(self) -> str:
        return reverse(self.view)

    def matches(self, query: str) -> bool:
        """Each word of it begins one of ours."""
        ours = f"{self.name} {self.words}".casefold().split()
        return all(any(own.startswith(word) for own in ours) for word in query.casefold().split())


NAVIGATION = (
    Destination("Overview", "dashboard:overview", "layout-dashboard", "o", "home start today"),
    Destination("API Keys", "accounts:api-key-list", "key-round", "k", "tokens secrets freeze"),
    Destination("Usage", "dashboard:usage", "chart-column", "u", "charts tokens latency errors"),
    Destination("Logs", "dashboard:logs", "scroll-text", "l", "requests calls history"),
    Destination("Models", "dashboard:models", "boxes", "m", "catalogue providers"),
    Destination(
        *("Playground", "dashboard:playground", "message-square", "p", "chat try"),
        right=PLAY,
        feature=PLAYGROUND,
    ),
    Destination("Webhooks", "dashboard:webhooks", "webhook", "w", "events deliveries endpoints"),
    Destination("Billing", "dashboard:billing", "credit-card", "b", "plan invoices limits pay"),
    Destination("Team", "accounts:team", "users", "t", "members invite roles colleagues"),
    Destination("Audit", "dashboard:audit", "shield-check", "a", "acts log", SEE_AUDIT),
    Destination("Settings", "accounts:profile", "settings", "s", "profile name mail time zone"),
)
OTHERS = (
    Destination("Create a new key", "accounts:api-key-create", "plus", "", "add api", KEYS),
    Destination("Add a webhook endpoint", "dashboard:endpoint-add", "plus", "", "new", WEBHOOKS),
    Destination("Export the request log", "dashboard:log-export", "download", "", "csv jsonl logs"),
    Destination("Security", "accounts:security", "lock", "", "password passkeys sessions two"),
    Destination("Account settings", "accounts:account", "settings", "", "name open another"),
    Destination("Danger zone", "accounts:danger", "triangle-alert", "", "delete export data"),
    Destination("Pricing", "pricing", "receipt", "", "plans cost prices"),
    Destination("Documentation", "docs:first", "book-open", "", "docs guides reference"),
    Destination("Changelog", "docs:changelog", "scroll-text", "", "news versions"),
    Destination("Status", "status:page", "activity", "", "incidents maintenance uptime"),
    Destination("Help", "support:help", "life-buoy", "", "support contact question"),
)


def open_to(rights: Collection[str], places: Iterable[Destination]) -> list[Destination]:
    """Those that somebody with these rights may see."""
    return [
        place
        for place in places
        if (place.right is None or place.right in rights)
        and not (place.feature and place.feature.is_off)
    ]
