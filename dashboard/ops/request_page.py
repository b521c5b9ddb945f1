"""One request at ``/ops/``: everything about it but what was asked and answered."""

from collections.abc import Callable

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from accounts.models import APIKey
from dashboard.entries import Entry
from usage.models import RequestLog


def request_page(site: AdminSite) -> Callable[..., HttpResponse]:
    @require_safe
    @permission_required("usage.view_requestlog", raise_exception=True)
    def page(request: HttpRequest, request_id: str) -> HttpResponse:
        row = RequestLog.objects.named(request_id).select_related("account").first()
        if row is None:
            raise Http404("There is no such request, or its log is not kept any more.")
        entry = Entry(row, APIKey.objects.filter(pk=row.api_key_id).first())
        context = {"title": "Request", "entry": entry, "account": row.account}
        return TemplateResponse(request, "ops/request.html", site.each_context(request) | context)

    return page
