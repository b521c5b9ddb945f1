"""What somebody fills in who wants to be told by mail."""

from django import forms


class SubscribeForm(forms.Form):
    use_required_attribute = False  # errors are said beside their field

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        error_messages={
            "required": "Write the address to tell.",
            "invalid": "That is not an e-mail address.",
        },
        widget=forms.EmailInput({"class": "input", "autocomplete": "email"}),
    )

    def clean_email(self) -> str:
        """One spelling for each address, so that nobody is told twice."""
        email: str = self.cleaned_data["email"].lower()
        return email
