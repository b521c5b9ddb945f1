"""What the playground asks, as its form says it, and what came back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from gateway.catalog import Offer

LONGEST = 200_000  # characters of one text
ROWS = {"class": "input"}


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


def turns_in(text: str) -> list[Turn]:
    """What a hidden field remembers. Raises ValidationError."""
    try:
        return msgspec.json.decode(text or "[]", type=list[Turn])
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise ValidationError("This is not a conversation.") from error


class PlaygroundForm(forms.Form):
    """One message and how to ask; what was said before travels along in hidden fields."""

    model = forms.ChoiceField(widget=forms.Select(ROWS))
    beside = forms.ChoiceField(
        label="Compare with", required=False, widget=forms.Select(ROWS), initial=""
    )
    system = forms.CharField(
        label="System prompt",
        required=False,
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea({"class": "input", "rows": 3}),
    )
    message = forms.CharField(
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea(
            {"class": "input", "rows": 3, "placeholder": "Say something", "autofocus": True}
        ),
    )
    temperature = forms.FloatField(
        required=False,
        min_value=0,
        max_value=2,
        widget=forms.NumberInput({"class": "input", "step": "any", "placeholder": "1"}),
    )
    top_p = forms.FloatField(
        label="Top p",
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput({"class": "input", "step": "any", "placeholder": "1"}),
    )
    max_tokens = forms.IntegerField(
        label="Max tokens",
        required=False,
        min_value=1,
        max_value=10_000_000,
        widget=forms.NumberInput({"class": "input"}),
    )
    keep = forms.IntegerField(
        label="Earlier messages sent along",
        required=False,
        min_value=0,
        max_value=200,
        initial=20,
        widget=forms.NumberInput({"class": "input"}),
    )
    stream = forms.BooleanField(label="Stream the answer", required=False, initial=True)
    past = forms.CharField(required=False, widget=forms.HiddenInput)
    past_beside = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, offers: Iterable[Offer], **options: Any) -> None:
        super().__init__(*args, **options)
        names = [(name, name) for offer in offers if offer.kind == "chat" for name in offer.names]
        self.fields["model"].choices = names  # type: ignore[attr-defined]
        self.fields["beside"].choices = [("", "no other"), *names]  # type: ignore[attr-defined]

    @staticmethod
    def first_choice(offers: Iterable[Offer], wanted: str) -> str:
        """The model that is asked for, if there is such a one, else the product's first."""
        known = {name for offer in offers if offer.kind == "chat" for name in offer.names}
        return wanted if wanted in known else settings.PRODUCT.first_model

    def clean_past(self) -> list[Turn]:
        return turns_in(self.cleaned_data["past"])

    def clean_past_beside(self) -> list[Turn]:
        return turns_in(self.cleaned_data["past_beside"])

    @property
    def columns(self) -> list[tuple[str, list[Turn]]]:
        """Each model to ask, with what was said to it before. Only for a valid form."""
        asked = self.cleaned_data
        columns = [(asked["model"], asked["past"])]
        if asked["beside"]:
            columns.append((asked["beside"], asked["past_beside"]))
        return columns

    def body(self, model: str, past: list[Turn], *, stream: bool) -> dict[str, Any]:
        """What is sent to the API, word for word."""
        asked = self.cleaned_data
        keep = asked["keep"] or 0
        turns = [*past[max(0, len(past) - keep) :], Turn("user", asked["message"])]
        system = [{"role": "system", "content": asked["system"]}] if asked["system"] else []
        body: dict[str, Any] = {
            "model": model,
            "messages": system + [msgspec.structs.asdict(turn) for turn in turns],
        }
        for name in ("temperature", "top_p", "max_tokens"):
            if asked[name] is not None:
                body[name] = asked[name]
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body


class Message(msgspec.Struct, frozen=True):
    content: str | None = None


class Choice(msgspec.Struct, frozen=True):
    message: Message
    finish_reason: str | None = None


class Tokens(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Trouble(msgspec.Struct, frozen=True):
    message: str
    code: str | None = None
    type: str = ""


class Document(msgspec.Struct, frozen=True):
    """A whole answer of the API, or its refusal."""

    choices: list[Choice] = []
    usage: Tokens = Tokens()
    error: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What one model answered to a form that was sent without a script."""

    model: str
    status: int
    headers: Mapping[str, str]
    document: Document
    took_ms: float

    @property
    def text(self) -> str:
        choices = self.document.choices
        return (choices[0].message.content or "") if choices else ""

    @property
    def cut_off(self) -> bool:
        choices = self.document.choices
        return bool(choices) and choices[0].finish_reason == "length"

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")

    @property
    def left(self) -> list[tuple[str, str, str]]:
        """What is left of each limit: of what, how much, and the limit."""
        start = "x-ratelimit-remaining-"
        return [
            (name.removeprefix(start), value, self.headers[name.replace("remaining", "limit")])
            for name, value in self.headers.items()
            if name.startswith(start)
        ]


def reply(model: str, status: int, headers: Mapping[str, str], body: bytes, took: float) -> Reply:
    return Reply(model, status, headers, msgspec.json.decode(body, type=Document), took)


def remembered(past: list[Turn], message: str, answer: str) -> str:
    """A conversation with one more exchange, for the hidden field; none that had no answer."""
    turns = [*past, Turn("user", message), Turn("assistant", answer)] if answer else past
    return json.dumps([msgspec.structs.asdict(turn) for turn in turns])
