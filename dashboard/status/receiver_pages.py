"""To be told at a URL: asked for, seen and ended by whoever has its secret link."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.status.dispatches import Dispatch
from dashboard.status.receivers import Receiver
from dashboard.status.subscribe_form import ReceiverForm, TopicsForm


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receiver_add(request: HttpRequest) -> HttpResponse:
    """Ask a URL. Its secret is in this answer and nowhere else."""
    form = ReceiverForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "status/receiver_add.html", {"form": form}, status=status)
    url = form.cleaned_data["url"]
    if not _may_ask(request, url):
        too_often: HttpResponse = ratelimit.respond_429(request)
        return too_often
    receiver, secret = Dispatch.objects.ask(url, form.topics)
    return _page(request, receiver, secret=secret)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receiver_page(request: HttpRequest, token: str) -> HttpResponse:
    """How it is doing, and what it is told of, which a POST changes."""
    receiver = Receiver.objects.behind(token)
    if receiver is None:
        return _over(request)
    if request.method != "POST":
        return _page(request, receiver)
    form = TopicsForm(request.POST)
    if not form.is_valid():
        return _page(request, receiver, form=form, status=422)
    receiver.choose(form.topics)
    messages.success(request, "Saved. It holds for what is said from now on.")
    return redirect("status:receiver", token)


@login_not_required
@require_POST
def receiver_ask(request: HttpRequest, token: str) -> HttpResponse:
    """Have the challenge sent again to a URL that did not answer it."""
    receiver = Receiver.objects.behind(token)
    if receiver is None:
        return _over(request)
    if not _may_ask(request, receiver.url):
        too_often: HttpResponse = ratelimit.respond_429(request)
        return too_often
    Dispatch.objects.ask_again(receiver)
    messages.success(request, "The challenge is on its way. Look again in a few seconds.")
    return redirect("status:receiver", token)


@login_not_required
@require_POST
def receiver_stop(request: HttpRequest, token: str) -> HttpResponse:
    receiver = Receiver.objects.behind(token)
    if receiver:
        receiver.stop()
    return render(request, "status/unsubscribed.html", {"kind": "receiver"})


def _may_ask(request: HttpRequest, url: str) -> bool:
    """A URL a few times a day, and a host not much more often, whatever stands behind its name."""
    host = Receiver(url=url).host
    one = ratelimit.consume(request, action="status_receiver", key=url)
    return bool(one and ratelimit.consume(request, action="status_receiver_host", key=host))


def _over(request: HttpRequest) -> HttpResponse:
    return render(request, "status/link_over.html", {"kind": "receiver"}, status=404)


def _page(
    request: HttpRequest,
    receiver: Receiver,
    *,
    form: TopicsForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "receiver": receiver,
        "form": form or TopicsForm.of(receiver),
        "secret": secret,
        "waiting": receiver.dispatches.filter(next_attempt_at__isnull=False).count(),
    }
    return render(request, "status/receiver.html", context, status=status)
