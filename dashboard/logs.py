"""The Logs pages: what happened to each request."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from accounts.middleware import AccountRequest
from dashboard.members import page_of_an_account
from usage import log_store


@page_of_an_account
def logs(request: AccountRequest) -> HttpResponse:
    page = log_store.page(request.account.pk)
    return render(request, "dashboard/logs.html", {"page": page})


@page_of_an_account
def log(request: AccountRequest, request_id: str) -> HttpResponse:
    row = log_store.get(request.account.pk, request_id)
    if row is None:
        raise Http404("There is no such request in the log of this account.")
    return render(request, "dashboard/log.html", {"row": row})
