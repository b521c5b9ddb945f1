"""What the members of an account have asked, and what came of it."""

from allauth.core import ratelimit
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit import Actor
from accounts.middleware import AccountRequest
from dashboard.support.forms import ReplyForm
from dashboard.support.requests import SupportRequest, SupportRequestQuerySet

ON_A_PAGE = 50
TOO_OFTEN = "You have replied often within an hour. Wait a little, then send it again."


@require_safe
@never_cache
def several(request: AccountRequest) -> HttpResponse:
    """The requests that the visitor may see, what was touched last first."""
    found = Paginator(_seen_by(request).with_beginning(), ON_A_PAGE)
    return render(
        request, "support/requests.html", {"page": found.get_page(request.GET.get("page"))}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def one(request: AccountRequest, number: str) -> HttpResponse:
    """A request with all that was said, and a form to say more."""
    asked = get_object_or_404(_seen_by(request).numbered(number))
    form = ReplyForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        if ratelimit.consume(request, action="support_reply"):
            asked.reply(form.cleaned_data["text"], writer=request.user)
            messages.success(request, "Your reply is here.")
            return redirect("support:request", asked.number)
        form.add_error(None, TOO_OFTEN)
        status = 429
    context = {"asked": asked, "said": asked.messages.all(), "form": form}
    return render(request, "support/request.html", context, status=status)


@require_POST
@never_cache
def close(request: AccountRequest, number: str) -> HttpResponse:
    asked = get_object_or_404(_seen_by(request).numbered(number))
    if asked.close(by=Actor.of(request)):
        messages.success(request, f"{asked.number} is closed. A reply opens it again.")
    return redirect("support:request", asked.number)


def _seen_by(request: AccountRequest) -> SupportRequestQuerySet:
    account = request.membership.account if request.membership else None
    return SupportRequest.objects.seen_by(request.user, account)
