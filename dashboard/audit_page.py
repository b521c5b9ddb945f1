"""The Audit page: who did what, when, from where; and whether the log is still what was written."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.audit import Action, Actor, AuditEntry, Flaw, Verification
from accounts.guards import members_who_may
from accounts.middleware import AccountRequest
from accounts.models import Account
from accounts.roles import Right
from dashboard.audit_export import FORMATS, written
from dashboard.audit_filters import AuditFilterForm
from dashboard.members import part_wanted

PER_PAGE = 50
FLAWS_SHOWN = 20


@require_safe
@members_who_may(Right.SEE_AUDIT)
def audit_log(request: AccountRequest) -> HttpResponse:
    """The newest entries that match, or those further down; verified if asked for."""
    form, part = AuditFilterForm(request.GET, now=timezone.now()), part_wanted(request)
    if part == "verified":
        return render(request, "dashboard/_verified.html", {"verdict": verdict_on(request.account)})
    valid = form.is_valid()
    found = form.narrow(request.account.audit_entries.all()) if valid else AuditEntry.objects.none()
    page = page_of(found, number_in(request, "before"), number_in(request, "after"))
    context = {
        "form": form,
        "page": page,
        "formats": list(FORMATS),
        "verdict": verdict_on(request.account) if "verify" in request.GET else None,
        **ways(form.query, page),
    }
    template = "audit" if part is None else "_audit"
    status = 200 if valid else 422
    response = render(request, f"dashboard/{template}.html", context, status=status)
    if part is not None:
        response["HX-Push-Url"] = f"{request.path}?{form.query}".rstrip("?")
    return response


@require_POST
@members_who_may(Right.SEE_AUDIT)
def audit_export(request: AccountRequest) -> HttpResponseBase:
    """Everything that matches, as a file. That it was taken out is on record before it is."""
    form, file_format = (
        AuditFilterForm(request.POST, now=timezone.now()),
        request.POST.get("format", ""),
    )
    if file_format not in FORMATS or not form.is_valid():
        raise Http404("There is no such export.")
    by = Actor.of(request)
    audit.record(request.account, Action.AUDIT_EXPORTED, by=by, format=file_format, **form.asked)
    entries = form.narrow(request.account.audit_entries.all()).order_by("-number")
    name = f"audit-{request.account.pk}-{timezone.now():%Y-%m-%d}.{file_format}"
    return StreamingHttpResponse(
        written(entries, file_format),
        content_type=FORMATS[file_format][0],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of one account, newest first, and whether there are others around them."""

    rows: list[AuditEntry]
    newer: bool
    older: bool


def page_of(entries: QuerySet[AuditEntry], before: int | None, after: int | None) -> Page:
    if after is not None:
        rows = list(entries.filter(number__gt=after).order_by("number")[: PER_PAGE + 1])
        if len(rows) > PER_PAGE:
            return Page(rows[PER_PAGE - 1 :: -1], newer=True, older=True)
    elif before is not None:
        entries = entries.filter(number__lt=before)
    rows = list(entries.order_by("-number")[: PER_PAGE + 1])
    return Page(rows[:PER_PAGE], newer=before is not None, older=len(rows) > PER_PAGE)


def ways(query: str, page: Page) -> dict[str, str]:
    """The URLs of the pages around this one, each empty where there is no such page."""

    def url(place: str) -> str:
        return "?" + "&".join(part for part in (query, place) if part)

    newest, oldest = (page.rows[0].number, page.rows[-1].number) if page.rows else (None, None)
    return {
        "newer_url": url(f"after={newest}" if newest else "") if page.newer else "",
        "older_url": url(f"before={oldest}") if page.older else "",
    }


def number_in(request: AccountRequest, name: str) -> int | None:
    """A place in the list, as the URL says it; what is no number is no place."""
    word = request.GET.get(name, "")
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 19 else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain of an account has met."""

    entries: int
    flaws: list[Flaw]
    at: datetime


def verdict_on(account: Account) -> Verdict:
    walk = Verification()
    flaws = list(islice(walk.flaws(account.pk), FLAWS_SHOWN))
    return Verdict(walk.entries, flaws, timezone.now())
