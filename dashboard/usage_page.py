"""The Usage page: how much, by what, how well, how fast; and the same numbers as a file."""

from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render

from accounts.middleware import AccountRequest
from accounts.models import Account
from dashboard import charts
from dashboard.csv_download import Row, download
from dashboard.entries import OUTCOMES
from dashboard.late_usage import remarks
from dashboard.members import page_of_an_account
from dashboard.today import total
from dashboard.usage_form import View, view_of
from dashboard.usage_groups import is_rest, named, rows_of
from gateway.explanations import MEANINGS
from usage import breakdown
from usage.breakdown import Group, Slice
from usage.reports import Totals
from usage.rollups import CLASSES, COUNTS

MOST = 100  # groups on the page; the file has all of them
AT_FIRST = 20  # of them


@page_of_an_account
def usage(request: AccountRequest) -> HttpResponse:
    """The sums of a period; a period that makes no sense is named, and the default is shown."""
    view, account = view_of(request), request.account
    part = view.part(account.pk)
    names = dict(account.api_keys.values_list("pk", "name"))
    view.form.offer(*breakdown.choices(replace(part, only={})), names)
    context = {
        "view": view,
        "form": view.form,
        "period": view.period,
        "late": remarks(account.pk, view.period),
        "at_first": MOST + 3 if "all" in request.GET else AT_FIRST,
        **_sums(view, part, names),
    }
    status = 200 if view.form.is_valid() else 422
    return render(request, "dashboard/usage.html", context, status=status)


def _sums(view: View, part: Slice, names: dict[int, str]) -> dict[str, object]:
    beginnings = view.period.beginnings
    table = breakdown.table(part, view.dimension, beginnings, attrgetter(view.measure), MOST)
    totals = total(table.steps)
    shown = {group: named(view.by, group, names) for group in _largest(table.groups, view)}
    speed, speeds = breakdown.speeds(part, view.dimension)
    return {
        "totals": totals,
        "rows": rows_of(view, table.groups, totals, names, speeds),
        "outcomes": outcomes(totals),
        "errors": errors(breakdown.errors(part)),
        "speed": speed,
        "chart": charts.Chart(
            view.measure,
            view.period.step,
            beginnings,
            charts.split(view.measure, table.steps, table.cells, shown),
            view.word if view.by == "key" else view.word.lower(),
            view.period.zone,
        ),
    }


def _largest(groups: dict[Group, Totals], view: View) -> list[Group]:
    """Those that get a colour of their own: all if they are few, else the largest."""
    ranked: list[Group] = sorted(
        (group for group in groups if group is not None and not is_rest(view.by, group)),
        key=lambda group: -getattr(groups[group], view.measure),
    )
    few = len(groups) <= charts.COLOURS and None not in groups
    return ranked if few else ranked[: charts.COLOURS - 1]


def outcomes(totals: Totals) -> list[tuple[str, str, str, str, int]]:
    """How calls ended: outcome, word, tone, meaning, and how many."""
    return [
        (outcome, *OUTCOMES[outcome], MEANINGS[outcome], getattr(totals, column))
        for outcome, column in CLASSES.items()
    ]


def errors(counted: dict[str, int]) -> list[tuple[str, str, str, str, int]]:
    """Why calls were not answered: code, outcome, its word and tone, and how many."""
    found = []
    for name, count in counted.items():
        outcome, _, code = name.partition(":")
        word, tone = OUTCOMES.get(outcome, (outcome, ""))
        found.append((code, outcome, word, tone, count))
    return found


@page_of_an_account
def usage_csv(request: AccountRequest) -> HttpResponseBase:
    """Every step and group of the period, with the filters of the page, in a file that streams."""
    view = view_of(request)
    if not view.form.is_valid():
        return HttpResponse("This period cannot be shown.\n", "text/plain", status=422)
    name = f"usage-{view.period.start:%Y-%m-%dT%H}-{view.by}.csv"
    return download(request, name, _lines(view, request.account))


def _lines(view: View, account: Account) -> Iterator[Row]:
    part, zone = view.part(account.pk), view.period.zone
    names = dict(account.api_keys.values_list("pk", "name"))
    key = ["api_key_id"] if view.by == "key" else []
    yield ["start", *key, view.word.lower().replace(" ", "_"), *COUNTS[:10], "total_tokens"]
    for begin, group, sums in breakdown.lines(part, view.dimension, view.period.beginnings):
        counts = [getattr(sums, name) for name in COUNTS[:10]]
        which = [group] if key else []
        word = named(view.by, group, names) if group or group == "" else ""
        yield [begin.astimezone(zone).isoformat(), *which, word, *counts, sums.tokens]
