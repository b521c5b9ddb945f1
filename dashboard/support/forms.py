"""What people fill in who ask whoever runs this server."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import Account, User
from accounts.settings_forms import OneLine
from dashboard.support.messages import LONGEST
from dashboard.support.requests import Kind, SupportRequest, Topic, new_mark
from dashboard.widgets import Select
from usage.models import REQUEST_ID

NOT_AN_ID = "That is no request id: it is req_ and 28 digits of 0 to 9 and a to f."


class TextField(forms.CharField):
    """Several lines, and enough for what can be said in a letter."""

    def __init__(self, label: str, missing: str, help_text: str = "") -> None:
        super().__init__(
            label=label,
            max_length=LONGEST,
            help_text=help_text,
            widget=forms.Textarea({"class": "input", "rows": 8}),
            error_messages={
                "required": missing,
                "max_length": f"That is too long: %(show_value)d of {LONGEST:,} characters.",
            },
        )


class AskForm(forms.Form):
    """What every form has that asks something of us, whoever fills it in."""

    kind: ClassVar[Kind]
    use_required_attribute = False  # errors are said beside their field

    email = forms.EmailField(
        label="Where we answer",
        max_length=254,
        error_messages={
            "required": "Write the address to answer to.",
            "invalid": "That is not an e-mail address.",
        },
        widget=forms.EmailInput({"class": "input", "autocomplete": "email"}),
    )
    homepage = forms.CharField(  # people do not see it
        label="Leave this empty",
        required=False,
        widget=forms.TextInput({"class": "input", "autocomplete": "off", "tabindex": "-1"}),
    )
    mark = forms.SlugField(max_length=40, required=False, widget=forms.HiddenInput)

    @classmethod
    def at_first(cls, request: HttpRequest) -> dict[str, Any]:
        """What is filled in before anybody writes."""
        email = request.user.email if isinstance(request.user, User) else ""
        return {"email": email, "mark": new_mark()}

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        return email

    def clean_homepage(self) -> str:
        if self.cleaned_data["homepage"]:
            raise ValidationError("Only robots fill this in. Empty it, and send it again.")
        return ""

    def send(self, author: User | None, account: Account | None) -> SupportRequest:
        """Ask it. Sent again by a reload, it asks nothing more."""
        facts = {name: said for name, said in self.cleaned_data.items() if name != "homepage"}
        facts["mark"] = facts["mark"] or new_mark()
        return SupportRequest.objects.open(kind=self.kind, author=author, account=account, **facts)


class ContactForm(AskForm):
    kind = Kind.HELP
    topic = forms.ChoiceField(
        label="What it is about",
        choices=[("", "Choose one"), *Topic.choices],
        widget=Select({"class": "input"}),
        error_messages={"required": "Choose what is nearest."},
    )
    request_id = forms.CharField(
        label="Id of a request, if it is about one",
        required=False,
        widget=forms.TextInput(
            {"class": "input", "autocomplete": "off", "spellcheck": "false", "placeholder": "req_…"}
        ),
        help_text="It stands in the header X-Request-Id, in the error, and in your logs.",
    )
    text = TextField(
        "What happens",
        "Say what happens.",
        "What you did, what you expected, what came, and since when. Never send a key: the id of a "
        "request tells us which one it was.",
    )
    field_order = ["topic", "text", "request_id", "email"]

    @classmethod
    def at_first(cls, request: HttpRequest) -> dict[str, Any]:
        named = {"request_id": request.GET.get("request_id", ""), "topic": ""}
        if not REQUEST_ID.fullmatch(named["request_id"]):
            named["request_id"] = ""
        if request.GET.get("topic") in Topic.values:
            named["topic"] = request.GET["topic"]
        return super().at_first(request) | named

    def clean_request_id(self) -> str:
        written: str = self.cleaned_data["request_id"].lower()
        if written and not REQUEST_ID.fullmatch(written):
            raise ValidationError(NOT_AN_ID)
        return written


class SalesForm(AskForm):
    kind = Kind.SALES
    name = OneLine(
        label="Your name",
        max_length=100,
        widget=forms.TextInput({"class": "input", "autocomplete": "name"}),
        error_messages={"required": "Write how to call you."},
    )
    company = OneLine(
        label="Company",
        max_length=100,
        widget=forms.TextInput({"class": "input", "autocomplete": "organization"}),
        error_messages={"required": "Write for whom you ask."},
    )
    expected_use = OneLine(
        label="What you expect to use",
        max_length=300,
        widget=forms.TextInput({"class": "input", "autocomplete": "off"}),
        help_text="Tokens or requests a month, roughly, and which models. “Not known yet” is fine.",
        error_messages={"required": "Write what you know, or “not known yet”."},
    )
    text = TextField("What you need", "Say what you need.")
    field_order = ["name", "company", "email", "expected_use", "text"]


class ReplyForm(forms.Form):
    use_required_attribute = False  # errors are said beside their field

    text = TextField("Your reply", "Write something first.")
