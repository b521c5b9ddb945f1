"""The Models pages: what can be called, how big, what for, how fast and available lately."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.middleware import AccountRequest
from dashboard.list_prices import prices_of
from dashboard.members import page_of_an_account, part_wanted
from dashboard.snippets import snippets
from dashboard.widgets import Select
from gateway.catalog import Offer, Route, offers_now
from gateway.models import LanguageModel
from usage import model_hours
from usage.model_hours import Lately

Kind = LanguageModel.Kind
DAY, WEEK = timedelta(days=1), timedelta(days=7)
SELECT = {"class": "input"}
FIRST_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    Kind.CHAT: (
        "chat/completions",
        {"messages": [{"role": "user", "content": "Hello, world!"}]},
    ),
    Kind.COMPLETION: ("completions", {"prompt": "Once upon a time", "max_tokens": 64}),
    Kind.EMBEDDING: ("embeddings", {"input": "Hello, world!"}),
}


class ModelFilterForm(forms.Form):
    """What to look for; every field may stay empty."""

    q = forms.CharField(
        label="Name, owner or use",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            {
                "class": "input",
                "type": "search",
                "placeholder": "Name, owner or use",
                "autocomplete": "off",
            }
        ),
    )
    kind = forms.ChoiceField(
        required=False,
        choices=[("", "Any kind"), *Kind.choices],
        widget=Select(SELECT),
        error_messages={"invalid_choice": "There is no kind “%(value)s”."},
    )
    owner = forms.ChoiceField(
        required=False,
        widget=Select(SELECT),
        error_messages={"invalid_choice": "Nobody of this name owns a model here."},
    )
    show = forms.ChoiceField(
        required=False,
        choices=[("", "Can be called now"), ("all", "All models")],
        widget=Select(SELECT),
        error_messages={"invalid_choice": "Models cannot be chosen by “%(value)s”."},
    )

    def __init__(self, *args: Any, offers: Iterable[Offer], **options: Any) -> None:
        super().__init__(*args, **options)
        owners = sorted({offer.owned_by for offer in offers})
        choices = [("", "Any owner"), *((owner, owner) for owner in owners)]
        self.fields["owner"].choices = choices  # type: ignore[attr-defined]

    @property
    def show_all(self) -> str:
        """The query for what this hides."""
        asked = {name: self.data.get(name, "") for name in ("q", "kind", "owner")}
        return urlencode({name: value for name, value in asked.items() if value} | {"show": "all"})

    def matches(self, offer: Offer) -> bool:
        """Of what is written each word must occur somewhere. Only for a valid form."""
        asked = self.cleaned_data
        text = " ".join((*offer.names, offer.owned_by, offer.best_for)).casefold()
        return (
            all(word in text for word in asked["q"].casefold().split())
            and asked["kind"] in ("", offer.kind)
            and asked["owner"] in ("", offer.owned_by)
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as a caller sees it, and how it fared for everybody in the last day."""

    offer: Offer
    day: Lately

    @property
    def aliases(self) -> tuple[str, ...]:
        return self.offer.names[1:]

    @property
    def routes(self) -> list[tuple[Route, str, str]]:
        """Every way to it, with its state in a word and a tone."""
        return [(route, *state_of(route)) for route in self.offer.routes]

    @property
    def state(self) -> tuple[str, str]:
        """That of the best of its ways; a way that has only failed lately is no good one."""
        states = [state_of(route) for route in self.offer.routes]
        best = min(states, key=ORDER.index, default=NOT_CONFIGURED)
        fails = self.day.seen >= ENOUGH and not self.day.ok
        return FAILING if best == AVAILABLE and fails else best

    @property
    def can_be_called(self) -> bool:
        return self.state in (AVAILABLE, FAILING)


ENOUGH = 3  # calls that say how a model fares
AVAILABLE, FAILING, SWITCHED_OFF, NOT_CONFIGURED = (
    ("available", "ok"),
    ("failing", "bad"),
    ("switched off", "warn"),
    ("not configured", ""),
)
ORDER = [AVAILABLE, SWITCHED_OFF, NOT_CONFIGURED]


def state_of(route: Route) -> tuple[str, str]:
    if route.switched_off:
        return SWITCHED_OFF
    return NOT_CONFIGURED if route.credential is None else AVAILABLE


@page_of_an_account
def models(request: AccountRequest) -> HttpResponse:
    """The catalogue, or what of it matches."""
    offers, now = offers_now(), timezone.now()
    form = ModelFilterForm(request.GET, offers=offers)
    valid = form.is_valid()
    matching = [offer for offer in offers if form.matches(offer)] if valid else []
    found = _with_figures(matching, now)
    listed = [row for row in found if row.can_be_called or form.cleaned_data["show"]]
    context = {
        "form": form,
        "listed": listed,
        "hidden": len(found) - len(listed),
        "total": len(offers),
        "filtered": any(form.data.get(name) for name in ("q", "kind", "owner")),
    }
    name = "_models" if part_wanted(request) == "models" else "models"
    return render(request, f"dashboard/{name}.html", context, status=200 if valid else 422)


def _with_figures(offers: list[Offer], now: datetime) -> list[Listed]:
    day = model_hours.lately(now, DAY) if offers else {}
    return [Listed(offer, day.get(offer.model_id, Lately())) for offer in offers]


@page_of_an_account
def model(request: AccountRequest, name: str) -> HttpResponse:
    """Everything about one model; an alias leads to it."""
    offer = next((offer for offer in offers_now() if name in offer.names), None)
    if offer is None:
        raise Http404("There is no such model.")
    if name != offer.model_id:
        return redirect("dashboard:model", offer.model_id)
    now, nothing = timezone.now(), Lately()
    day, week = (model_hours.lately(now, over, name).get(name, nothing) for over in (DAY, WEEK))
    endpoint, body = FIRST_CALLS[offer.kind]
    context = {
        "listed": Listed(offer, day),
        "price": prices_of([name]).get(name),
        "week": week,
        "periods": [("24 hours", day), ("7 days", week)],
        "endpoint": endpoint,
        "snippets": snippets(endpoint, {"model": name, **body}),
    }
    return render(request, "dashboard/model.html", context)
