"""The Webhooks pages: who is told of what, whether it arrives, and the acts on an endpoint."""

from datetime import timedelta

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit import Actor
from accounts.guards import members_who_may
from accounts.middleware import AccountRequest
from accounts.roles import Right
from dashboard import endpoint_acts
from dashboard.deliveries_page import page_of_deliveries
from dashboard.webhook_forms import EndpointForm, ReplayForm, TestForm
from webhooks.endpoints import MOST
from webhooks.event_types import EventType
from webhooks.events import emit_test
from webhooks.models import Endpoint
from webhooks.samples import SAMPLES

LATELY = timedelta(days=1)
page_with_form = require_http_methods(["GET", "HEAD", "POST"])
members_only = members_who_may(Right.SEE)
keepers_only = members_who_may(Right.MANAGE_WEBHOOKS)


@require_safe
@members_only
def webhooks(request: AccountRequest) -> HttpResponse:
    return _render_endpoints(request)


@page_with_form
@keepers_only
def endpoint_add(request: AccountRequest) -> HttpResponse:
    """A new endpoint; its secret is in this answer and nowhere else."""
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _render_endpoints(request, form=form, status=422 if form.is_bound else 200)
    try:
        endpoint, secret = endpoint_acts.add(
            request.account, by=Actor.of(request), **form.cleaned_data
        )
    except endpoint_acts.TooMany:
        form.add_error(None, f"An account has at most {MOST} endpoints; remove one first.")
        return _render_endpoints(request, form=form, status=422)
    return _render_endpoint(request, endpoint, secret=secret, is_new=True)


@require_safe
@members_only
def endpoint_detail(request: AccountRequest, pk: int) -> HttpResponse:
    return _render_endpoint(request, _endpoint(request, pk))


@require_POST
@keepers_only
def endpoint_change(request: AccountRequest, pk: int) -> HttpResponse:
    endpoint, form = _endpoint(request, pk), EndpointForm(request.POST)
    if not form.is_valid():
        return _render_endpoint(request, endpoint, form=form, status=422)
    endpoint_acts.change(endpoint, by=Actor.of(request), **form.cleaned_data)
    messages.success(request, "Saved. It holds for what happens from now on.")
    return redirect("dashboard:endpoint", pk=pk)


@page_with_form
@keepers_only
def endpoint_rotate(request: AccountRequest, pk: int) -> HttpResponse:
    """Another secret, shown once."""
    endpoint = _endpoint(request, pk)
    if request.method != "POST":
        return render(request, "webhooks/endpoint_rotate.html", {"endpoint": endpoint})
    secret = endpoint_acts.rotate(endpoint, by=Actor.of(request))
    return _render_endpoint(request, endpoint, secret=secret)


@require_POST
@keepers_only
def endpoint_disable(request: AccountRequest, pk: int) -> HttpResponse:
    endpoint_acts.disable(_endpoint(request, pk), by=Actor.of(request))
    messages.success(request, "It is told nothing more. What is on its way waits.")
    return redirect("dashboard:endpoint", pk=pk)


@require_POST
@keepers_only
def endpoint_enable(request: AccountRequest, pk: int) -> HttpResponse:
    endpoint_acts.enable(_endpoint(request, pk), by=Actor.of(request))
    messages.success(request, "It is told again. What happened meanwhile can be sent below.")
    return redirect("dashboard:endpoint", pk=pk)


@page_with_form
@keepers_only
def endpoint_remove(request: AccountRequest, pk: int) -> HttpResponse:
    endpoint = _endpoint(request, pk)
    if request.method != "POST":
        return render(request, "webhooks/endpoint_remove.html", {"endpoint": endpoint})
    endpoint_acts.remove(endpoint, by=Actor.of(request))
    messages.success(request, f"{endpoint.url} is told nothing more.")
    return redirect("dashboard:webhooks")


@require_POST
@keepers_only
def endpoint_test(request: AccountRequest, pk: int) -> HttpResponse:
    """An event that did not happen, marked as such."""
    endpoint, form = _endpoint(request, pk), TestForm(request.POST)
    if not form.is_valid() or endpoint.disabled_at:
        messages.error(request, "Choose an event, and an endpoint that is not disabled.")
        return redirect("dashboard:endpoint", pk=pk)
    kind = EventType(form.cleaned_data["event"])
    event = emit_test(endpoint, kind, SAMPLES[kind])
    return redirect("dashboard:delivery", pk=event.deliveries.get().pk)


@require_POST
@keepers_only
def endpoint_replay(request: AccountRequest, pk: int) -> HttpResponse:
    endpoint, form = _endpoint(request, pk), ReplayForm(request.POST)
    if not form.is_valid():
        return _render_endpoint(request, endpoint, replay=form, status=422)
    number = endpoint_acts.send_since(
        endpoint,
        form.cleaned_data["since"],
        only_missing=not form.cleaned_data["everything"],
        by=Actor.of(request),
    )
    messages.success(request, f"{number} deliver{'y is' if number == 1 else 'ies are'} on the way.")
    return redirect("dashboard:endpoint", pk=pk)


def _endpoint(request: AccountRequest, pk: int) -> Endpoint:
    return get_object_or_404(request.account.webhook_endpoints, pk=pk)


def _render_endpoints(
    request: AccountRequest, *, form: EndpointForm | None = None, status: int = 200
) -> HttpResponse:
    """With how the deliveries of the last day have fared, endpoint by endpoint."""
    lately = Q(deliveries__event__created_at__gte=timezone.now() - LATELY)
    counts = {
        name: Count("deliveries", filter=lately & Q(deliveries__status=name))
        for name in ("delivered", "pending", "failed")
    }
    context = {"endpoints": request.account.webhook_endpoints.annotate(**counts), "form": form}
    return render(request, "webhooks/webhooks.html", context, status=status)


def _render_endpoint(
    request: AccountRequest, endpoint: Endpoint, *, status: int = 200, **context: object
) -> HttpResponse:
    context |= {"endpoint": endpoint, "test_form": TestForm()}
    context.setdefault("form", EndpointForm.of(endpoint))
    context.setdefault("replay", ReplayForm(initial={"since": timezone.now() - LATELY}))
    context |= page_of_deliveries(request, endpoint)
    return render(request, "webhooks/endpoint.html", context, status=status)
