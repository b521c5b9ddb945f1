"""What an event says of an object, and which events can still be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.simulated.errors import NoSuchObject
from billing.simulated.objects.calendar import DAY
from billing.simulated.parameters import DATED
from billing.simulated.store import Doc

if TYPE_CHECKING:
    from billing.simulated.simulation import Simulation

KEPT = 30 * DAY
LIST = {"type": str, "types": [str], **DATED}


def public(value: Any) -> Any:
    """Without what is ours alone."""
    if isinstance(value, list):
        return [public(entry) for entry in value]
    if isinstance(value, dict):
        return {
            name: one if name == "metadata" else public(one)
            for name, one in value.items()
            if not name.startswith("_")
        }
    return value


def describe(event_type: str, doc: Doc, before: Doc | None) -> Doc | None:
    """The data of an event; none where an object is said to be updated and is as before."""
    data = {"object": public(doc)}
    if not event_type.endswith(".updated"):
        return data
    changed = previous(public(before or {}), data["object"])
    return {**data, "previous_attributes": changed} if changed else None


def previous(before: Doc, after: Doc) -> Doc:
    """The old values of what has changed.

    >>> previous({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 4, "d": 3}})
    {'b': {'c': 2}}
    """
    changed: Doc = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old != new:
            nested = isinstance(old, dict) and isinstance(new, dict)
            changed[name] = previous(old, new) if nested else old  # type: ignore[arg-type]
    return changed


def list_(sim: Simulation, given: Doc) -> list[Doc]:
    """Of the last 30 days, as at Stripe."""
    types = {given["type"]} if "type" in given else set(given.get("types", []))
    oldest = sim.now() - KEPT
    return [
        event
        for event in sim.store.all("event")
        if event["created"] >= oldest and (not types or event["type"] in types)
    ]


def retrieve(sim: Simulation, given: Doc, key: str) -> Doc:
    event = sim.get("event", key)
    if event["created"] < sim.now() - KEPT:
        raise NoSuchObject("event", key)
    return event
