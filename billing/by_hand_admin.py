"""The pages at ``/ops/`` on which operators change by hand what an account has."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from accounts.audit import Actor
from billing.by_hand_forms import ActForm


def act_page(site: AdminSite, name: str, form_class: type[ActForm]) -> URLPattern:
    """The page of an act, for the ModelAdmin of what it acts on: a form to see, and to send."""
    model = form_class.acts_on

    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, object_id: int) -> HttpResponse:
        if not request.user.has_perm(form_class.permission):
            raise PermissionDenied
        acted_on = get_object_or_404(model, pk=object_id)
        form = form_class(acted_on, request.POST if request.method == "POST" else None)
        if form.is_valid() and _is_done(form, request):
            return redirect("admin:billing_subscription_change", form.subscription.pk)
        context = site.each_context(request) | {
            "form": form,
            "title": form.title,
            "opts": model._meta,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/billing/act.html", context, status=status)

    address = f"<int:object_id>/{name}/"
    return path(address, site.admin_view(view), name=f"billing_{model._meta.model_name}_{name}")


def _is_done(form: ActForm, request: HttpRequest) -> bool:
    """Do it, and say so; else the form says why not."""
    try:
        said = form.act(Actor.operator(request))
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, said)
    return True
