"""The Logs pages: what happened to each request."""

from datetime import timedelta
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.middleware import AccountRequest
from accounts.models import Account, APIKey
from dashboard.entries import Entry, entries
from dashboard.log_filters import LogFilterForm
from dashboard.members import nothing_new, page_of_an_account, part_wanted
from usage import log_store, partitions, reports
from usage.log_store import Cursor, Page

MODELS_OF = timedelta(days=30)
STEPS_BACK = 20  # how many pages "Newer" can go back by the way one came


@page_of_an_account
def logs(request: AccountRequest) -> HttpResponse:
    """The newest requests that match, or those further down; one of them can be open beside.

    Without filters, the first page asks again all the time.
    """
    account, part = request.account, part_wanted(request)
    api_keys = {api_key.pk: api_key for api_key in account.api_keys.all()}
    form = _form(request, api_keys)
    valid, trail = form.is_valid(), trail_of(request.GET.getlist("before"))
    page = Page([], None)
    if valid:
        before = trail[-1] if trail else None
        page = log_store.page(account.pk, form.filters, before=before)
    newest = page.rows[0].request_id if page.rows else ""
    if part == "rows" and request.GET.get("seen", "") == newest:
        return nothing_new()
    opened = request.GET.get("open", "")
    context = {
        "form": form,
        "entries": entries(page.rows, api_keys),
        "newest": newest,
        "live": valid and not form.query and not trail,
        "kept_for": kept_for(account),
        "opened": opened,
        "entry": entry_of(account, opened, api_keys) if opened else None,
        **ways(form.query, trail, page.older),
    }
    template = {None: "logs", "rows": "_rows"}.get(part, "_logs")
    status = 200 if valid else 422
    response = render(request, f"dashboard/{template}.html", context, status=status)
    if part == "logs" and not trail and not opened:
        response["HX-Push-Url"] = f"{request.path}?{form.query}".rstrip("?")
    return response


@page_of_an_account
def log(request: AccountRequest, request_id: str) -> HttpResponse:
    """Everything about one request of this account."""
    api_keys = {api_key.pk: api_key for api_key in request.account.api_keys.all()}
    entry = entry_of(request.account, request_id, api_keys)
    if entry is None:
        raise Http404("There is no such request in the log of this account.")
    return render(request, "dashboard/log.html", {"entry": entry})


def _form(request: AccountRequest, api_keys: dict[int, APIKey]) -> LogFilterForm:
    now = timezone.now()
    models = reports.by_model(request.account.pk, now - MODELS_OF, now)
    return LogFilterForm(request.GET, now=now, api_keys=api_keys.values(), models=models)


def entry_of(account: Account, request_id: str, api_keys: dict[int, APIKey]) -> Entry | None:
    row = log_store.get(account.pk, request_id)
    return Entry(row, api_keys.get(row.api_key_id)) if row else None


def kept_for(account: Account) -> int:
    """Days until a request is forgotten."""
    subscription = getattr(account, "subscription", None)
    shortest = min(partitions.DAYS_KEPT.values())
    if subscription is None:
        return shortest
    return partitions.DAYS_KEPT.get(subscription.plan.retention_class, shortest)


def trail_of(words: list[str]) -> list[Cursor]:
    """The pages on the way to this one, which is the last; what is no cursor is left out."""
    cursors = [Cursor.parse(word) for word in words[-STEPS_BACK:]]
    return [cursor for cursor in cursors if cursor]


def ways(query: str, trail: list[Cursor], older: Cursor | None) -> dict[str, str]:
    """The URLs to here and to the pages around it, each empty where there is no such page."""

    def url(places: list[Cursor], *more: str) -> str:
        before = urlencode([("before", str(place)) for place in places], safe="~")
        return "?" + "&".join(part for part in (query, before, *more) if part)

    return {
        "here": url(trail),
        "open_url": url(trail, "open="),
        "newer_url": url(trail[:-1]) if trail else "",
        "older_url": url([*trail, older][-STEPS_BACK:]) if older else "",
    }
