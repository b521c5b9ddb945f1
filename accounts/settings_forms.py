"""What people fill in about themselves and their account."""

from typing import Any

from django import forms
from django.db import transaction

from accounts.audit import Actor
from accounts.models import Account, User


class OneLine(forms.CharField):
    """A name: whatever white space it is written with, one line."""

    def clean(self, value: Any) -> Any:
        return super().clean(" ".join(str(value or "").split()))


class ProfileForm(forms.Form):
    name = OneLine(
        label="Your name",
        required=False,
        max_length=User._meta.get_field("first_name").max_length,
        help_text="How your colleagues see you. Your address stands there if you give none.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class AccountForm(forms.Form):
    name = OneLine(
        label="Name of this account",
        max_length=Account._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    hides_end_users = forms.BooleanField(
        label="Keep end users as digests",
        required=False,
        help_text="From now on, the user named in a request is kept as a digest. Usage still tells "
        "end users apart, and a search for the true name finds the requests. What was kept before "
        "stays as it was.",
    )

    @classmethod
    def of(cls, account: Account) -> "AccountForm":
        """As the account is now."""
        return cls(initial={"name": account.name, "hides_end_users": account.hides_end_users})

    @transaction.atomic
    def apply(self, account: Account, *, by: Actor) -> None:
        account.rename(self.cleaned_data["name"], by=by)
        account.hide_end_users(self.cleaned_data["hides_end_users"], by=by)


class ConfirmForm(forms.Form):
    """What is to end must be named, so that nobody ends it by a slip."""

    name = forms.CharField(
        max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, expected: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["name"].label = f"Type “{expected}”"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.expected:
            raise forms.ValidationError("That is another name. Nothing was deleted.")
        return name
