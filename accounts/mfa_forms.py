"""allauth's forms for the code of a second factor; a wrong code is put on record."""

from typing import Any

from allauth.core import context
from allauth.mfa.base import forms
from django.core.exceptions import ValidationError

from accounts.entrance import record_failure


class _OnRecord:
    """Laid over a form that asks for a code."""

    user: Any

    def clean_code(self) -> str:
        try:
            return str(super().clean_code())  # type: ignore[misc]
        except ValidationError:
            record_failure(context.request, self.user)
            raise


class AuthenticateForm(_OnRecord, forms.AuthenticateForm):  # type: ignore[misc]
    """At sign-in, after the password."""


class ReauthenticateForm(_OnRecord, forms.ReauthenticateForm):  # type: ignore[misc]
    """Where somebody is asked again."""
