"""The limits of one key: lower ones than the plan's, and those of its whole life."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.audit import Actor
from accounts.middleware import AccountRequest
from billing.limits import OF_KEYS
from billing.models import limit_key


class LimitsForm(forms.Form):
    """A number for each limit that a key can have; an empty field is no limit."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, (unit, window) in OF_KEYS.items():
            when = "in its lifetime" if window == "lifetime" else f"per {window}"
            self.fields[name] = forms.IntegerField(
                label=f"{unit.capitalize()} {when}",
                required=False,
                min_value=0,
                max_value=2**53 - 1,
                widget=forms.NumberInput(attrs={"class": "input", "inputmode": "numeric"}),
            )


@require_POST
def api_key_limits(request: AccountRequest, pk: int) -> HttpResponse:
    """Limit a key, at once; soft limits that it has stay."""
    if not request.membership or not request.membership.may_manage_keys:
        raise PermissionDenied("Only an owner, admin or developer may create or change keys.")
    api_key = get_object_or_404(request.account.api_keys.filter(revoked_at=None), pk=pk)
    form = LimitsForm(request.POST)
    if not form.is_valid():
        context = {"api_key": api_key, "form": form}
        return render(request, "dashboard/key_limits.html", context, status=422)
    amounts = {name: amount for name, amount in api_key.limits.items() if name not in OF_KEYS}
    amounts |= {name: amount for name, amount in form.cleaned_data.items() if amount is not None}
    limit_key(api_key, amounts, by=Actor.of(request))
    messages.success(request, f"The limits of “{api_key.name}” hold from now on.")
    return redirect("accounts:api-key", pk=pk)
