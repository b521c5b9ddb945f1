"""Which requests and answers of a key are kept for a while, and for how long: a form of its own."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.audit import Actor
from accounts.features import CAPTURE
from accounts.middleware import AccountRequest
from accounts.models import APIKey
from accounts.views import keepers_of_keys_only

MOST_FIELDS = 50
INPUT = {"class": "input"}


class CaptureForm(forms.Form):
    which = forms.ChoiceField(
        label="Keep", choices=APIKey.Capture.choices, widget=forms.RadioSelect
    )
    one_in = forms.IntegerField(
        label="Of a sample, one request in",
        min_value=1,
        max_value=1_000_000,
        widget=forms.NumberInput(INPUT),
    )
    redact = forms.CharField(
        label="Leave out these JSON fields, too",
        required=False,
        max_length=1000,
        help_text="Names, separated by commas. Passwords, secrets, API keys, tokens, e-mail "
        "addresses and card numbers are always left out; pictures and other binary data are cut.",
        widget=forms.TextInput({**INPUT, "placeholder": "patient_name, address"}),
    )
    days = forms.TypedChoiceField(
        label="Forget it after",
        coerce=int,
        choices=[(days, f"{days} day{'s' * (days > 1)}") for days in range(1, 8)],
        help_text="Holds for all keys of this account, and for what is captured from now on.",
        widget=forms.Select(INPUT),
    )

    @classmethod
    def of(cls, api_key: APIKey) -> "CaptureForm":
        """As the key is set now."""
        now: dict[str, Any] = {
            "which": api_key.capture,
            "one_in": api_key.capture_one_in,
            "redact": ", ".join(api_key.capture_redacts),
            "days": api_key.account.payload_days,
        }
        return cls(initial=now)

    def clean_which(self) -> str:
        which: str = self.cleaned_data["which"]
        if CAPTURE.is_off and which != APIKey.Capture.OFF:
            raise forms.ValidationError(CAPTURE.sentence)
        return which

    def clean_redact(self) -> list[str]:
        names = [name for name in re.split(r"[,\s]+", self.cleaned_data["redact"]) if name]
        if len(names) > MOST_FIELDS or any(len(name) > 40 for name in names):
            raise forms.ValidationError(f"At most {MOST_FIELDS} names of at most 40 characters.")
        return names

    @transaction.atomic
    def apply(self, api_key: APIKey, *, by: Actor) -> None:
        chosen = self.cleaned_data
        api_key.account.keep_payloads_for(chosen["days"], by=by)
        api_key.capture_calls(
            chosen["which"], by=by, one_in=chosen["one_in"], redact=chosen["redact"]
        )


@require_http_methods(["GET", "HEAD", "POST"])
@keepers_of_keys_only
def api_key_capture(request: AccountRequest, pk: int) -> HttpResponse:
    api_key = get_object_or_404(request.account.api_keys.select_related("account"), pk=pk)
    form = CaptureForm(request.POST) if request.method == "POST" else CaptureForm.of(api_key)
    if form.is_valid():
        form.apply(api_key, by=Actor.of(request))
        words = APIKey.Capture(api_key.capture).label.lower()
        messages.success(request, f"From now on, of “{api_key.name}” is kept: {words}.")
        return redirect("accounts:api-key-list")
    status = 422 if form.is_bound else 200
    context = {"api_key": api_key, "form": form}
    return render(request, "accounts/api_key_capture.html", context, status=status)
