"""The Usage page: how much, by what, how fast."""

from datetime import UTC, datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render

from accounts.middleware import AccountRequest
from dashboard.members import page_of_an_account
from usage import reports


@page_of_an_account
def usage(request: AccountRequest) -> HttpResponse:
    now = datetime.now(UTC)
    by_model = reports.by_model(request.account.pk, now - timedelta(days=1), now)
    return render(request, "dashboard/usage.html", {"by_model": by_model})
