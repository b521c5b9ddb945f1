"""The Overview page: is this account fine?"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import key_counts
from accounts.middleware import AccountRequest
from accounts.models import Account, APIKey
from dashboard import changes, charts, hygiene, today
from dashboard.changes import Change
from dashboard.entries import entries
from dashboard.members import nothing_new, page_of_an_account, part_wanted
from dashboard.standing import Standing, standing_of
from dashboard.templatetags.figures import about
from dashboard.timezones import zone_of
from dashboard.today import Today
from usage import breakdown, log_store, reports
from usage.breakdown import Slice
from usage.models import RequestLog

LATEST = 8
CHART, WEEK = timedelta(days=30), timedelta(days=7)
AGAIN_AFTER = 15  # seconds until meters are drawn anew though no request came


@page_of_an_account
def overview(request: AccountRequest) -> HttpResponse:
    """How to make the first request, until there was one; from then on, how it goes.

    The page asks again all the time, and gets an answer only when there is something new.
    """
    account, now, part = request.account, timezone.now(), part_wanted(request)
    latest = log_store.page(account.pk, limit=LATEST).rows
    if not latest and not account.usagehours.exists():
        return nothing_new() if part == "overview" else _waiting(request)
    stamp = f"{latest[0].request_id if latest else ''}.{int(now.timestamp()) // AGAIN_AFTER}"
    if part == "today" and request.GET.get("seen") == stamp:
        return nothing_new()
    api_keys = {api_key.pk: api_key for api_key in account.api_keys.all()}
    context: dict[str, object] = {"stamp": stamp, "part": part, "zone": zone_of(request)}
    context |= _state(account, latest, api_keys, now, zone_of(request))
    if part == "today":
        return render(request, "dashboard/_today.html", context)
    context |= _beyond_today(account, api_keys, now)
    name = "_overview" if part == "overview" else "overview"
    return render(request, f"dashboard/{name}.html", context)


def _waiting(request: AccountRequest) -> HttpResponse:
    context = {
        "waiting": True,
        "api_key": request.account.api_keys.usable().filter(playground=False).first(),
    }
    return render(request, "dashboard/overview.html", context)


def _state(
    account: Account,
    latest: list[RequestLog],
    api_keys: dict[int, APIKey],
    now: datetime,
    zone: ZoneInfo,
) -> dict[str, object]:
    day = today.look(account.pk, now)
    standing = standing_of(account, day.pace)
    return {
        "today": day,
        "standing": standing,
        "concern": concern(account, day, standing, zone),
        "keys": key_counts.count(account, api_keys.values()),
        "latest": entries(latest, api_keys),
    }


def _beyond_today(
    account: Account, api_keys: dict[int, APIKey], now: datetime
) -> dict[str, object]:
    """What does not change from one request to the next."""
    change, lately = changed(account, now), Slice(account.pk, now - CHART, now)
    days = list(reports.steps(lately.start, now, "day"))
    month = breakdown.cells_over_time(lately, days, "model", "api_key_id", "endpoint")
    models = [breakdown.by_one(cells, 0) for cells in month]
    calls: dict[int, Counter[str]] = defaultdict(Counter)
    for (_, key, endpoint), totals in chain.from_iterable(day.items() for day in month):
        calls[key][endpoint] += totals.requests
    return {
        "chart": charts.stacked(dict(zip(days, models, strict=True)), "tokens", "day"),
        "changed": change,
        "changed_key": api_keys.get(change.key) if change and change.key else None,
        "hints": hygiene.hints(api_keys.values(), calls, now),
    }


def changed(account: Account, now: datetime) -> Change | None:
    """What is worth telling of these seven days beside those before, by whole hours."""
    until = now.replace(minute=0, second=0, microsecond=0)
    weeks = [until - 2 * WEEK, until - WEEK]
    fortnight = Slice(account.pk, weeks[0], until)
    before, after = breakdown.cells_over_time(fortnight, weeks, "api_key_id", "model")
    return changes.change(before, after)


def concern(account: Account, day: Today, standing: Standing, zone: ZoneInfo) -> str:
    """The one thing that somebody should know first; empty when everything is fine."""
    if account.suspended_at or account.frozen_at:
        return "Every request is refused just now."
    worst, totals = standing.worst, day.so_far
    if worst and worst.tone == "bad":
        return f"{worst.title} are used up."
    if any(figure.tone == "bad" for figure in day.figures):
        return f"{totals.errors + totals.refused:,} of {totals.requests:,} requests failed today."
    if worst and worst.runs_out_at:
        return f"{worst.title} run out {about(worst.runs_out_at, zone)} at this pace."
    return f"{worst.title} are running low." if worst and worst.tone == "warn" else ""
