"""The Logs pages: what happened to each request."""

import contextlib
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from redis import RedisError

from accounts.middleware import AccountRequest
from accounts.models import Account, APIKey
from dashboard.entries import Entry, entries
from dashboard.log_columns import COLUMNS, columns_of
from dashboard.log_filters import LogFilterForm, shortest
from dashboard.members import nothing_new, page_of_an_account, part_wanted
from dashboard.timezones import zone_of
from usage import log_store, partitions, payloads, retention
from usage.log_store import Cursor, Page
from usage.models import RequestLog
from usage.retention import Kept

MODELS_OF = timedelta(days=30)
KEPT_IS_GOOD_FOR = 300  # seconds
STEPS_BACK = 20  # how many pages "Newer" can go back by the way one came


@page_of_an_account
def logs(request: AccountRequest) -> HttpResponse:
    """The newest requests that match, or those further down; one of them can be open beside.

    The first page asks again all the time.
    """
    part, trail = part_wanted(request), trail_of(request.GET.getlist("before"))
    api_keys = {api_key.pk: api_key for api_key in request.account.api_keys.all()}
    form = filter_form(request, api_keys)
    page = page_of(request.account, form, trail)
    newest = page.rows[0].request_id if page.rows else ""
    if part == "rows" and request.GET.get("seen", "") == newest:
        return nothing_new()
    opened = request.GET.get("open", "")
    context = {
        "form": form,
        "entries": entries(page.rows, api_keys),
        "newest": newest,
        "looked_from": trail[-1].started_at if trail else form.cleaned_data.get("end"),
        "looked_back_to": page.looked_back_to,
        "zone": form.clock,
        "live": not form.errors and not trail and form.goes_on,
        "opened": opened,
        "entry": entry_of(request, opened, api_keys, page.rows) if opened else None,
        "columns": columns_of(request.user),
        **ways(form.query, trail, page.older),
        **(choices(request) if part != "rows" else {}),
    }
    template = {None: "logs", "rows": "_rows"}.get(part, "_logs")
    status = 422 if form.errors else 200
    response = render(request, f"dashboard/{template}.html", context, status=status)
    if part == "logs" and not trail and not opened:
        response["HX-Push-Url"] = f"{request.path}?{form.query}".rstrip("?")
    return response


def page_of(account: Account, form: LogFilterForm, trail: list[Cursor]) -> Page:
    """What matches right below the end of the trail; nothing where the form is wrong."""
    if not form.is_valid():
        return Page([], None)
    return log_store.page(account.pk, form.filters, before=trail[-1] if trail else None)


def choices(request: AccountRequest) -> dict[str, object]:
    """What stands around the list."""
    return {
        "kept": partial(kept, request.account),  # looked up only where it is shown
        "saved_filters": request.membership.saved_filters.all(),
        "all_columns": COLUMNS.values(),
    }


def kept(account: Account) -> Kept:
    """How long rows are kept, as of a few minutes ago: to look through a year of days is dear."""
    name = f"kept:{account.pk}:{retention.class_of(account)}:{partitions.today()}"
    with contextlib.suppress(RedisError):
        if found := cache.get(name):
            return found  # type: ignore[no-any-return]
    found = retention.kept(account)
    if found.oldest:
        with contextlib.suppress(RedisError):
            cache.set(name, found, KEPT_IS_GOOD_FOR)
    return found


@page_of_an_account
def log(request: AccountRequest, request_id: str) -> HttpResponse:
    """Everything about one request of this account."""
    api_keys = {api_key.pk: api_key for api_key in request.account.api_keys.all()}
    entry = entry_of(request, request_id, api_keys)
    if entry is None:
        raise Http404("There is no such request in the log of this account.")
    back = ways(shortest(request.GET), trail_of(request.GET.getlist("before")), None)["here"]
    return render(request, "dashboard/log.html", {"entry": entry, "back": back.rstrip("?")})


def filter_form(request: AccountRequest, api_keys: dict[int, APIKey]) -> LogFilterForm:
    now = timezone.now()
    models = log_store.models_of(request.account.pk, now - MODELS_OF)
    keys = api_keys.values()
    zone = zone_of(request)
    return LogFilterForm(
        request.account, request.GET, now=now, zone=zone, api_keys=keys, models=models
    )


def entry_of(
    request: AccountRequest,
    request_id: str,
    api_keys: dict[int, APIKey],
    known: Iterable[RequestLog] = (),
) -> Entry | None:
    """The request of this id, with what was captured of it if the visitor may see that."""
    row = next((row for row in known if row.request_id == request_id), None)
    row = row or log_store.get(request.account.pk, request_id)
    if row is None:
        return None
    may = request.membership.may_read_payloads
    payload = payloads.get(request.account.pk, request_id) if may else None
    return Entry(row, api_keys.get(row.api_key_id), payload)


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
