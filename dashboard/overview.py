"""The Overview page: is this account fine?"""

from datetime import datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.middleware import AccountRequest
from accounts.models import Account, APIKey
from dashboard import charts, today
from dashboard.entries import entries
from dashboard.members import nothing_new, page_of_an_account, part_wanted
from dashboard.standing import Standing, standing_of
from dashboard.today import Today
from usage import log_store, reports
from usage.models import RequestLog

LATEST = 8
CHART = timedelta(days=30)
AGAIN_AFTER = 15  # seconds until meters are drawn anew though no request came


@page_of_an_account
def overview(request: AccountRequest) -> HttpResponse:
    """How to make the first request, until there was one; from then on, how it goes.

    The page asks again all the time, and gets an answer only when there is something new.
    """
    account, now, part = request.account, timezone.now(), part_wanted(request)
    latest = log_store.page(account.pk, limit=LATEST).rows
    if not latest and not account.usage_hours.exists():
        return nothing_new() if part == "overview" else _waiting(request)
    stamp = f"{latest[0].request_id if latest else ''}.{int(now.timestamp()) // AGAIN_AFTER}"
    if part == "today" and request.GET.get("seen") == stamp:
        return nothing_new()
    context = {"stamp": stamp, "part": part, **_state(account, latest, now)}
    if part == "today":
        return render(request, "dashboard/_today.html", context)
    month = reports.by_model_over_time(account.pk, now - CHART, now, "day")
    context["chart"] = charts.stacked(month, "tokens", "day")
    name = "_overview" if part == "overview" else "overview"
    return render(request, f"dashboard/{name}.html", context)


def _waiting(request: AccountRequest) -> HttpResponse:
    context = {"waiting": True, "api_key": request.account.api_keys.usable().first()}
    return render(request, "dashboard/overview.html", context)


def _state(account: Account, latest: list[RequestLog], now: datetime) -> dict[str, object]:
    api_keys = {api_key.pk: api_key for api_key in account.api_keys.all()}
    day = today.look(account.pk, now)
    standing = standing_of(account, day.pace)
    return {
        "today": day,
        "standing": standing,
        "concern": concern(day, standing),
        "active_keys": sum(_is_active(api_key) for api_key in api_keys.values()),
        "all_keys": len(api_keys),
        "latest": entries(latest, api_keys),
    }


def _is_active(api_key: APIKey) -> bool:
    return api_key.state == "active"


def concern(day: Today, standing: Standing) -> str:
    """The one thing that somebody should know first; empty when everything is fine."""
    worst, totals = standing.worst, day.so_far
    if worst and worst.tone == "bad":
        return f"{worst.title} are used up."
    if any(figure.tone == "bad" for figure in day.figures):
        return f"{totals.errors + totals.refused:,} of {totals.requests:,} requests failed today."
    if worst and worst.runs_out_at:
        return f"{worst.title} run out at about {worst.runs_out_at:%H:%M} UTC at this pace."
    return f"{worst.title} are running low." if worst and worst.tone == "warn" else ""
