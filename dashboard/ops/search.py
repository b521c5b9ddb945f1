"""One search for whatever an operator was told: an account, a person, a key, a request id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from django.contrib.admin import AdminSite
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import keys
from accounts.models import Account, APIKey, User
from billing.models import Customer, Invoice, Subscription
from dashboard.support.requests import SupportRequest
from gateway.models import LanguageModel, Provider
from usage.models import REQUEST_ID, RequestLog

MOST = 10  # of each kind
SHORTEST = 2
HINT = re.compile(r"^(?:\S{0,10}[_-])?(\w{2,4})(?:…|\.{2,3}|\*+)(\w{4})$")


@dataclass(frozen=True, slots=True)
class Hit:
    kind: str
    name: str
    about: str
    url: str


def search_page(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """A page with what was found; a whole key is sent, never put into an address."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def search(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return asked(request.POST.get("q", "").strip())
        words = request.GET.get("q", "").strip()
        hits = list(found(words, request)) if len(words) >= SHORTEST else []
        if len(hits) == 1 and "stay" not in request.GET:
            return redirect(hits[0].url)
        context = {"title": "Search", "words": words, "hits": hits}
        return TemplateResponse(request, "ops/search.html", site.each_context(request) | context)

    return search


def asked(words: str) -> HttpResponse:
    """Where to look: a key in plaintext leads to its page at once, and is forgotten."""
    if keys.without_keys(words) == words:
        return redirect(f"{reverse('admin:search')}?q={quote(words)}")
    api_key = APIKey.objects.filter(digest=keys.digest(words)).first()
    if api_key is None:
        return redirect(f"{reverse('admin:search')}?q={quote(keys.hint(words))}&stay=1")
    return redirect("admin:accounts_apikey_change", api_key.pk)


def found(words: str, request: HttpRequest) -> Iterator[Hit]:
    """What this operator may see of it."""
    for source, permission in SOURCES.items():
        if request.user.has_perm(permission):
            yield from source(words)


def requests(words: str) -> Iterator[Hit]:
    if REQUEST_ID.fullmatch(words):
        for row in RequestLog.objects.named(words).select_related("account"):
            url = reverse("admin:request", args=[row.request_id])
            yield Hit("Request", row.request_id, f"{row.outcome}, of {row.account}", url)


def api_keys(words: str) -> Iterator[Hit]:
    """By the hint, whole or an end of it, or by name."""
    parts = HINT.match(words)
    ends = (
        Q(hint__endswith=parts[2], hint__contains=parts[1]) if parts else Q(hint__iendswith=words)
    )
    rows = APIKey.objects.filter(ends | Q(name__icontains=words), playground=False)
    for row in rows.select_related("account").order_by("-pk")[:MOST]:
        url = reverse("admin:accounts_apikey_change", args=[row.pk])
        yield Hit("API key", f"{row.name} {row.hint}", f"{row.state}, of {row.account}", url)


def accounts(words: str) -> Iterator[Hit]:
    same = Q(pk=int(words)) if words.isdecimal() and len(words) < 19 else Q()
    which = Q(name__icontains=words) | Q(members__email__icontains=words) | same
    rows = Account.objects.filter(which).select_related("subscription__plan").distinct()
    for row in rows.order_by("-pk")[:MOST]:
        url = reverse("admin:accounts_account_change", args=[row.pk])
        subscription = getattr(row, "subscription", None)
        yield Hit("Account", row.name, str(subscription.plan) if subscription else "", url)


def users(words: str) -> Iterator[Hit]:
    for row in User.objects.filter(email__icontains=words).order_by("-pk")[:MOST]:
        url = reverse("admin:accounts_user_change", args=[row.pk])
        yield Hit("User", row.email, "operator" if row.is_staff else "", url)


def money(words: str) -> Iterator[Hit]:
    """By a number or an id of Stripe, whole."""
    for row in Invoice.objects.filter(Q(number=words) | Q(stripe_id=words))[:MOST]:
        url = reverse("admin:billing_invoice_change", args=[row.pk])
        yield Hit("Invoice", str(row), f"{row.in_words}, {row.word}", url)
    for customer in Customer.objects.filter(stripe_id=words).select_related("account")[:MOST]:
        url = reverse("admin:accounts_account_change", args=[customer.account_id])
        yield Hit("Customer", customer.stripe_id, str(customer.account), url)
    for one in Subscription.objects.filter(stripe_id=words).select_related("account", "plan"):
        url = reverse("admin:billing_subscription_change", args=[one.pk])
        yield Hit("Subscription", words, f"{one.plan}, of {one.account}", url)


def catalogue(words: str) -> Iterator[Hit]:
    for provider in Provider.objects.filter(Q(name__icontains=words) | Q(slug=words))[:MOST]:
        url = reverse("admin:gateway_provider_change", args=[provider.pk])
        yield Hit("Provider", provider.name, provider.base_url, url)
    named = Q(model_id__icontains=words) | Q(aliases__contains=[words])
    for model in LanguageModel.objects.filter(named)[:MOST]:
        url = reverse("admin:gateway_languagemodel_change", args=[model.pk])
        yield Hit("Model", model.model_id, model.owned_by, url)


def requests_for_help(words: str) -> Iterator[Hit]:
    """By number."""
    for row in SupportRequest.objects.numbered(words):
        url = reverse("admin:dashboard_supportrequest_change", args=[row.pk])
        yield Hit("Request for help", str(row), row.get_state_display(), url)


SOURCES: dict[Callable[[str], Iterator[Hit]], str] = {
    requests: "usage.view_requestlog",
    api_keys: "accounts.view_apikey",
    accounts: "accounts.view_account",
    users: "accounts.view_user",
    money: "billing.view_subscription",
    catalogue: "gateway.view_provider",
    requests_for_help: "dashboard.view_supportrequest",
}
