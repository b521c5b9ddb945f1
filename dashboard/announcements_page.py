"""The button with which a member puts an announcement away."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.middleware import AccountRequest
from dashboard.models import Announcement


@require_POST
@never_cache
def announcement_put_away(request: AccountRequest, pk: int) -> HttpResponse:
    """Then back to the page on which it was; a script takes it off the page itself."""
    get_object_or_404(Announcement.objects.standing(), pk=pk).put_away(request.user)
    if request.htmx:
        return HttpResponse()
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe and back.startswith("/") else "dashboard:overview")
