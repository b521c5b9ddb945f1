"""What people fill in about their account."""

from django import forms

from accounts.models import APIKey
from accounts.scopes import Scope


class APIKeyForm(forms.Form):
    """A new key: what it is called and what it may do. Everything is allowed at first."""

    SUGGESTED_NAMES = ("Development", "Production")

    name = forms.CharField(
        max_length=APIKey._meta.get_field("name").max_length,
        help_text="What will use it, so that you know later which one to revoke.",
        widget=forms.TextInput(
            attrs={
                "class": "input",
                "list": "suggested-names",
                "placeholder": "Development",
                "autocomplete": "off",
                "autofocus": True,
            }
        ),
    )
    scopes = forms.MultipleChoiceField(
        label="Permissions",
        choices=Scope.choices,
        initial=Scope.values,
        help_text="A key should carry only what it needs; a leaked one can do no more.",
        error_messages={"required": "Choose at least one permission."},
        widget=forms.CheckboxSelectMultiple,
    )
