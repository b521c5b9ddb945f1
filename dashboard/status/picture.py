"""Everything that the status page says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from django.utils import timezone

from dashboard.status.days import SHOWN
from dashboard.status.facts import Fact, facts
from dashboard.status.history import Histories, History
from dashboard.status.incidents import Incident
from dashboard.status.maintenance import Maintenance
from dashboard.status.parts import LOUD, Impact, Kind, State


@dataclass(frozen=True, slots=True)
class Line:
    """A part or a model: its state now, why it is said, what that rests on, and how it was."""

    fact: Fact
    state: State
    why: str
    rests_on: str
    history: History


@dataclass(frozen=True, slots=True)
class Picture:
    """How this server is doing at a moment."""

    at: datetime
    parts: list[Line]
    models: list[Line]
    incidents: list[Incident]
    under_way: list[Maintenance]
    to_come: list[Maintenance]
    past: list[tuple[date, list[Incident | Maintenance]]]

    @property
    def state(self) -> State:
        """Of the whole, by the worst there is."""
        impacts = {incident.severity for incident in self.incidents}
        states = {line.state for line in self.parts}
        if impacts & set(LOUD) or State.DOWN in states:
            return State.DOWN
        if self.under_way:
            return State.MAINTENANCE
        troubled = Impact.MINOR in impacts or State.DEGRADED in states or bool(self.bad_models)
        return State.DEGRADED if troubled else State.WORKS

    @property
    def bad_models(self) -> list[Line]:
        return [line for line in self.models if line.state.is_bad]

    @property
    def sentence(self) -> str:
        """The same, in one sentence."""
        if self.incidents:
            worst = max(self.incidents, key=lambda one: list(Impact).index(one.severity))
            return f"We are at work on an incident: {worst.title}."
        if bad := [line.fact.label for line in self.parts if line.state.is_bad]:
            return f"There is trouble with: {', '.join(bad)}."
        if self.under_way:
            return f"Maintenance is under way: {self.under_way[0].title}."
        if number := len(self.bad_models):
            return f"Everything works but {number} model{'' if number == 1 else 's'}."
        return "Everything works."


def take() -> Picture:
    """How it is now. The number of queries does not depend on how much there is to tell."""
    now = timezone.now()
    since = now - timedelta(days=SHOWN)
    told = Incident.objects.prefetch_related("updates")
    incidents = list(told.going_on() | told.filter(resolved_at__gte=since))
    all_of_it = Maintenance.objects.prefetch_related("updates")
    maintenance = list(all_of_it.filter(ended_at=None) | all_of_it.filter(ended_at__gte=since))
    open_ = [incident for incident in incidents if not incident.resolved_at]
    under_way = [one for one in maintenance if one.begun_at and not one.ended_at]
    histories = Histories(now, incidents)
    lines = [_line(fact, open_, under_way, histories) for fact in facts(now)]
    return Picture(
        at=now,
        parts=[line for line in lines if line.fact.kind == Kind.PART],
        models=[line for line in lines if line.fact.kind == Kind.MODEL],
        incidents=open_,
        under_way=under_way,
        to_come=sorted(
            (one for one in maintenance if not one.begun_at and not one.ended_at),
            key=lambda one: one.starts_at,
        ),
        past=_by_day([*incidents, *maintenance]),
    )


def _line(
    fact: Fact, open_: list[Incident], under_way: list[Maintenance], histories: Histories
) -> Line:
    """Incidents say how it is, then maintenance, then what we see ourselves."""
    state, why, rests_on = fact.state, fact.why, fact.rests_on
    for one in under_way:
        if one.affects(fact.kind, fact.name):
            state, why, rests_on = State.MAINTENANCE, f"{one.title}.", ""
    for incident in open_:
        made = incident.severity.state
        if made and incident.affects(fact.kind, fact.name) and state is not State.DOWN:
            state, why, rests_on = made, f"{incident.title}.", ""
    return Line(fact, state, why, rests_on, histories.of(fact.kind, fact.name))


def _by_day(
    told: Iterable[Incident | Maintenance],
) -> list[tuple[date, list[Incident | Maintenance]]]:
    """What is over, by the day on which it began, the newest first."""
    over = sorted((one for one in told if one.ended), key=lambda one: one.begins, reverse=True)
    days = groupby(over, key=lambda one: one.begins.astimezone(UTC).date())
    return [(day, list(several)) for day, several in days]
