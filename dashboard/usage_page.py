"""The Usage page: how much, by what, how well, how fast."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.middleware import AccountRequest
from accounts.models import Account
from dashboard import charts
from dashboard.entries import OUTCOMES
from dashboard.members import page_of_an_account
from dashboard.ranges import PRESETS, Range, RangeForm
from dashboard.today import total
from usage import reports
from usage.reports import Totals
from usage.rollups import CLASSES

MEASURES = [("tokens", "Tokens"), ("requests", "Requests")]


class UsageForm(RangeForm):
    """The period, and what the chart stacks."""

    default = "24h"
    by = forms.ChoiceField(
        required=False,
        choices=MEASURES,
        error_messages={"invalid_choice": "The chart cannot show “%(value)s”."},
    )


@page_of_an_account
def usage(request: AccountRequest) -> HttpResponse:
    """The sums of a period; a period that makes no sense is named, and the default is shown."""
    now = timezone.now()
    form = UsageForm(request.GET, now=now)
    period = (form.period or Range.last(UsageForm.default, now)).by_the_hour
    measure: charts.Measure = "requests" if form.cleaned_data.get("by") == "requests" else "tokens"
    context = {
        "form": form,
        "period": period,
        "presets": [(name, words) for name, (words, _) in PRESETS.items()],
        "measures": [
            (f"{period.query}&by={name}", word, name == measure) for name, word in MEASURES
        ],
        "custom_query": Range("custom", period.start, period.end).query,
        **_sums(request.account, period, measure),
    }
    status = 200 if form.is_valid() else 422
    return render(request, "dashboard/usage.html", context, status=status)


def _sums(account: Account, period: Range, measure: charts.Measure) -> dict[str, object]:
    within = (account.pk, period.start, period.end)
    names = dict(account.api_keys.values_list("pk", "name"))
    by_model, by_key = reports.by_model(*within), reports.by_key(*within)
    totals = total(by_model.values())
    over_time = reports.by_model_over_time(*within, period.step)
    return {
        "totals": totals,
        "by_model": [(name, sums) for name, sums in by_model.items()],
        "by_key": [(pk, names.get(pk, "a deleted key"), sums) for pk, sums in by_key.items()],
        "outcomes": outcomes(totals),
        "latency": reports.latency(*within),
        "first_token": reports.time_to_first_token(*within),
        "chart": charts.stacked(over_time, measure, period.step),
    }


def outcomes(totals: Totals) -> list[tuple[str, str, str, str, int]]:
    """How calls ended: outcome, word, tone, meaning, and how many."""
    return [
        (outcome, *OUTCOMES[outcome], getattr(totals, column))
        for outcome, column in CLASSES.items()
    ]
