"""Going somewhere by its name: pages, keys, models, documentation, and a request by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.middleware import AccountRequest
from dashboard.destinations import NAVIGATION, OTHERS, Destination, open_to
from dashboard.docs.contents import ORDER
from dashboard.members import page_of_an_account, part_wanted
from gateway.catalog import offers_now
from usage import log_store

LONGEST_QUERY, MOST = 200, 6
REQUEST_ID = re.compile(r"req_[0-9a-zA-Z]{4,60}")


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    url: str
    icon: str
    note: str = ""


class Group(NamedTuple):
    title: str
    places: list[Place]


@page_of_an_account
def go(request: AccountRequest) -> HttpResponse:
    """What the words of ``q`` may mean to this member; without any, the pages of the account."""
    query = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_QUERY]
    groups = [group for group in groups_for(request, query) if group.places]
    part = part_wanted(request) == "palette-found"
    name = "_palette_found" if part else "go"
    return render(request, f"dashboard/{name}.html", {"query": query, "groups": groups})


def groups_for(request: AccountRequest, query: str) -> Iterator[Group]:
    if not query:
        yield Group("Pages", pages(request, "", NAVIGATION))
        return
    yield Group("Requests", requests(request, query))
    yield Group("Pages", pages(request, query, (*NAVIGATION, *OTHERS)))
    yield Group("API keys", keys(request, query))
    yield Group("Models", models(query))
    yield Group("Documentation", documentation(query))
    yield Group("Search", everywhere(query))


def pages(request: AccountRequest, query: str, among: tuple[Destination, ...]) -> list[Place]:
    found = [one for one in open_to(request.membership.rights, among) if one.matches(query)]
    found.sort(key=lambda one: not one.name.casefold().startswith(query.casefold()))
    places = [Place(one.name, one.url, one.icon) for one in found]
    return places[:MOST] if query else places


def requests(request: AccountRequest, query: str) -> list[Place]:
    """The one of this id, if it is in the log of this account."""
    if not REQUEST_ID.fullmatch(query) or not (row := log_store.get(request.account.pk, query)):
        return []
    url = reverse("dashboard:log", args=[query])
    return [Place(f"Open request {query}", url, "terminal", f"{row.status_code} {row.model}")]


def keys(request: AccountRequest, query: str) -> list[Place]:
    """By name, or by what is shown of the key itself."""
    words = [Q(name__icontains=word) | Q(hint__icontains=word) for word in query.split()]
    found = request.account.api_keys.filter(reduce(and_, words))[:MOST]
    return [
        Place(key.name, reverse("accounts:api-key", args=[key.pk]), "key-round", key.hint)
        for key in found
    ]


def models(query: str) -> list[Place]:
    words = query.casefold().split()
    found = [
        offer
        for offer in offers_now()
        if all(word in " ".join((*offer.names, offer.owned_by)).casefold() for word in words)
    ]
    return [
        Place(
            offer.model_id,
            reverse("dashboard:model", args=[offer.model_id]),
            "boxes",
            offer.best_for or offer.kind,
        )
        for offer in found[:MOST]
    ]


def documentation(query: str) -> list[Place]:
    """Pages with these words in their titles; for what is in them there is a search."""
    words = query.casefold().split()
    found = [page for page in ORDER if all(word in page.title.casefold() for word in words)]
    return [Place(page.title, page.address, "book-open", page.section) for page in found[:MOST]]


def everywhere(query: str) -> list[Place]:
    asked = urlencode({"q": query})
    return [
        Place(f"Requests with “{query}”", f"{reverse('dashboard:logs')}?{asked}", "search"),
        Place(f"“{query}” in the documentation", f"{reverse('docs:search')}?{asked}", "search"),
    ]
