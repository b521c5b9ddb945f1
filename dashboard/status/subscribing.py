"""To be told by mail, and not any more: asked for, confirmed by who reads the mail, ended."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dashboard.status.letters import Letter
from dashboard.status.subscribe_form import SubscribeForm, TopicsForm
from dashboard.status.subscribers import Subscriber

ASKED = "We have written to {}. Follow the link in that mail, and you are told from then on."


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """Ask the owner of an address. The answer does not tell who is subscribed already."""
    form = SubscribeForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(
            request, "status/subscribe.html", {"form": form}, status=422 if form.is_bound else 200
        )
    email = form.cleaned_data["email"]
    if not ratelimit.consume(request, action="status_subscribe", key=email):
        too_often: HttpResponse = ratelimit.respond_429(request)
        return too_often
    Letter.objects.ask(email, form.topics)
    messages.success(request, ASKED.format(email))
    return redirect("status:page")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """A page with a button: programs that follow the links in mails confirm nothing."""
    subscriber = Subscriber.objects.to_confirm(token)
    if subscriber is None:
        return render(request, "status/link_over.html", {"kind": "confirm"}, status=404)
    if request.method == "POST":
        subscriber.confirm()
        messages.success(request, f"{subscriber.email} is told of incidents from now on.")
        return redirect("status:page")
    return render(request, "status/confirm.html", {"subscriber": subscriber, "token": token})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """What somebody is told of, by the link in each letter."""
    subscriber = Subscriber.objects.to_stop(token)
    if subscriber is None:
        return render(request, "status/link_over.html", {"kind": "stop"}, status=404)
    form = TopicsForm(request.POST) if request.method == "POST" else TopicsForm.of(subscriber)
    if form.is_valid():
        subscriber.choose(form.topics)
        messages.success(request, "Saved. It holds for what is said from now on.")
        return redirect("status:choose", token)
    context = {"subscriber": subscriber, "form": form, "token": token}
    return render(request, "status/choose.html", context, status=422 if form.is_bound else 200)


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the token is all it takes
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One click, and the address is forgotten."""
    subscriber = Subscriber.objects.to_stop(token)
    if request.method == "POST":
        if subscriber:
            subscriber.stop()
        return render(request, "status/unsubscribed.html", {"kind": "stop"})
    if subscriber is None:
        return render(request, "status/link_over.html", {"kind": "stop"}, status=404)
    return render(request, "status/unsubscribe.html", {"subscriber": subscriber, "token": token})
