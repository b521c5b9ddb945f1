"""What holds for every page of the site: who may see it, and what it may load."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db
OPEN = {
    *("", "login/", "signup/", "confirm-email/", "password/reset/", "password/reset/confirm/"),
    *("password/reset/complete/", "password/reset/done/", "inactive/", "logout/", "mailbox"),
    *("login/code/confirm/", "reauthenticate/", "ops/login/", "ops/logout/"),
    *("mfa/authenticate/", "mfa/webauthn/login/", "invitations/<str:token>", "pricing"),
    *("docs", "docs/search", "docs/webhooks/<path:name>", "docs/<slug:slug>.md"),
    *("docs/<slug:slug>", "changelog", "llms.txt"),
    *("stripe/events", ".well-known/security.txt"),
    *("status", "status.json", "status/feed.atom", "status/maintenance.ics", "status/subscribe"),
    *("status/days/<str:kind>/<path:name>", "status/confirm/<str:token>"),
    *("status/unsubscribe/<str:token>", "status/choose/<str:token>", "status/webhook"),
    *("status/webhook/<str:token>", "status/webhook/<str:token>/ask"),
    "status/webhook/<str:token>/stop",
    *("help", "contact", "sales", "enterprise", "brand/<str:digest>.<str:kind>"),
    *("signup", "login"),
}
DOCS = ["/docs", "/docs/models", "/docs/search?q=key", "/docs/search?q=zebra", "/changelog"]
PAGES = [
    *DOCS,
    "/",
    "/pricing",
    "/login/",
    "/signup/",
    "/password/reset/",
    "/mailbox",
    "/nothing-here",
]
PAGES += ["/status", "/status/subscribe", "/status/webhook", "/status/days/part/api"]
PAGES += ["/help", "/contact", "/sales", "/enterprise"]
MEMBERS = [
    *("/overview", "/keys", "/keys/new", "/usage", "/logs", "/password/change/", "/email/"),
    *("/logs/export", "/audit", "/models", "/playground", "/webhooks", "/webhooks/new", "/billing"),
    *("/team", "/team/leave", "/team/transfer", "/settings", "/settings/security"),
    *("/settings/account", "/settings/danger", "/settings/danger/account"),
    *("/settings/danger/user", "/mfa/totp/activate/", "/mfa/webauthn/add/", "/help/requests"),
    *("/go", "/go?q=key"),
]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path
        elif isinstance(entry, URLResolver):
            yield from routes(entry, path)


def example(route: str) -> str:
    """An address that the route matches."""
    named = re.sub(r"<(int:|str:)?\w+>|<path:\w+>|\(\?P<\w+>[^)]*\)", "1", route)
    return "/" + named.replace("^", "").replace("$", "").replace("\\Z", "")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("route", sorted(set(routes(get_resolver())) - OPEN))
def test_a_page_that_is_not_said_to_be_open_asks_who_you_are(
    client: Client, route: str, method: str
) -> None:
    answer = getattr(client, method)(example(route))

    assert answer.status_code in {302, 404, 405}
    if answer.status_code == 302:
        assert "login/" in answer["Location"]


@pytest.mark.parametrize("path", PAGES + MEMBERS)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(
    client: Client, path: str
) -> None:
    owner = make_user()
    make_account(owner)
    if path in MEMBERS:
        client.force_login(owner)

    answer = client.get(path)
    page = answer.content.decode()

    assert answer.status_code == (404 if path == "/nothing-here" else 200)
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\b(src|type=\"application/json\"))", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=\"", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
