"""The Overview page: is this account fine?"""

from django.http import HttpResponse
from django.shortcuts import render

from accounts.middleware import AccountRequest
from dashboard.members import page_of_an_account
from usage import log_store


@page_of_an_account
def overview(request: AccountRequest) -> HttpResponse:
    latest = log_store.page(request.account.pk, limit=10).rows
    return render(request, "dashboard/overview.html", {"latest": latest})
