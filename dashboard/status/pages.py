"""The status page, for anybody, and the same for programs: JSON, Atom, iCalendar."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from dashboard.status import facts, kept, snapshot
from dashboard.status.history import Histories
from dashboard.status.incidents import Incident
from dashboard.status.maintenance import Maintenance
from dashboard.status.now import as_text
from dashboard.status.parts import Kind, Part
from dashboard.status.picture import take
from dashboard.status.subscribe_form import SubscribeForm
from dashboard.status.summary import whole_address
from dashboard.status.updates import Update
from gateway.catalog import offers_now

ENTRIES = 50  # of the feed


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """How it is. While PostgreSQL is away, how it was when that was last known."""
    try:
        board = kept.kept(kept.BOARD, _board)
        # Made by a template of ours, which has escaped what it was told.
        context = {"board": mark_safe(board), "form": SubscribeForm()}  # noqa: S308
        return render(request, "status/page.html", context)
    except (OperationalError, InterfaceError):
        copy = snapshot.last()
        if copy is None:
            raise
        return HttpResponse(copy, status=503, headers={"Retry-After": "60"})


def _board() -> str:
    return render_to_string("status/_board.html", {"picture": take()})


@login_not_required
@require_safe
def days(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """What the bars of one part or model stand for, as a table."""
    public = {offer.model_id for offer in offers_now() if facts.is_public(offer)}
    names: dict[str, set[str]] = {Kind.PART: set(Part.values), Kind.MODEL: public}
    if name not in names.get(kind, ()):
        raise Http404("Nothing of this name is watched here.")
    history = Histories(timezone.now(), Incident.objects.all()).of(Kind(kind), name)
    label = Part(name).label if kind == Kind.PART else name
    context = {"label": label, "history": history, "newest_first": history.days[::-1]}
    return render(request, "status/days.html", context)


@login_not_required
@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    everybody = {"Access-Control-Allow-Origin": "*"}
    return HttpResponse(as_text(), "application/json", headers=everybody)


@login_not_required
@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """Whatever was said lately, an entry for each time, the newest first."""
    here = whole_address("status:page")
    atom = Atom1Feed(
        title=f"{settings.PRODUCT.name} status",
        link=here,
        description="Incidents and maintenance",
        feed_url=whole_address("status:feed"),
        feed_guid=here,
        author_name=settings.PRODUCT.name,
    )
    for update in Update.objects.select_related("incident", "maintenance")[:ENTRIES]:
        atom.add_item(
            title=str(update),
            link=f"{here}#update-{update.pk}",
            description=update.text,
            pubdate=update.at,
            updateddate=update.at,
            unique_id=f"{here}#update-{update.pk}",
        )
    return HttpResponse(atom.writeString("utf-8"), Atom1Feed.content_type)


@login_not_required
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """Maintenance that is planned, under way or lately over, for a calendar to subscribe to."""
    ical = Calendar()
    ical.add("prodid", f"-//{settings.PRODUCT.name}//status//EN")
    ical.add("version", "2.0")
    ical.add("x-wr-calname", f"{settings.PRODUCT.name} maintenance")
    for maintenance in Maintenance.objects.prefetch_related("updates")[:ENTRIES]:
        ical.add_component(_event(maintenance))
    return HttpResponse(ical.to_ical(), "text/calendar; charset=utf-8")


def _event(maintenance: Maintenance) -> Event:
    event = Event()
    newest = next(iter(maintenance.updates.all()), None)
    said: dict[str, Any] = {
        "uid": f"maintenance-{maintenance.pk}@{settings.ALLOWED_HOSTS[0]}",
        "summary": f"{settings.PRODUCT.name}: {maintenance.title}",
        "description": newest.text if newest else "",
        "url": whole_address("status:page"),
        "dtstamp": _stamp(newest.at if newest else maintenance.starts_at),
        "dtstart": maintenance.begins,
        "dtend": max(maintenance.ended_at or maintenance.ends_at, maintenance.begins),
        "status": _confirmed(maintenance),
        "transp": "TRANSPARENT",  # nobody is busy because of it
    }
    for name, value in said.items():
        event.add(name, value)
    return event


def _confirmed(maintenance: Maintenance) -> str:
    """What was ended before it began will not be."""
    off = maintenance.ended_at and not maintenance.begun_at
    return "CANCELLED" if off else "CONFIRMED"


def _stamp(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
