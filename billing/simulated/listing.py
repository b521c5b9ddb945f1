"""Pages of lists, and objects in place of the ids that name them."""

from collections.abc import Callable
from typing import Any

from billing.simulated.errors import InvalidRequest, NoSuchObject
from billing.simulated.events import public
from billing.simulated.objects import customers, invoices, payments, subscriptions
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

MOST = 100
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": int.__gt__,
    "gte": int.__ge__,
    "lt": int.__lt__,
    "lte": int.__le__,
}


def page(found: list[Doc], given: Doc, url: str) -> Doc:
    """``found`` is the newest first. Raises InvalidRequest."""
    limit = given.get("limit", 10)
    if not 1 <= limit <= MOST:
        raise InvalidRequest(f"A page has 1 to {MOST} objects.", param="limit")
    created = given.get("created", {})
    wanted = [
        doc
        for doc in found
        if all(COMPARE[name](doc["created"], moment) for name, moment in created.items())
    ]
    if "ending_before" in given:
        rest = wanted[: position(wanted, given, "ending_before")]
        return listed(rest[-limit:], len(rest) > limit, url)
    first = position(wanted, given, "starting_after") + 1 if "starting_after" in given else 0
    rest = wanted[first:]
    return listed(rest[:limit], len(rest) > limit, url)


def position(found: list[Doc], given: Doc, name: str) -> int:
    for at, doc in enumerate(found):
        if doc["id"] == given[name]:
            return at
    raise NoSuchObject("object", given[name], name)


def listed(data: list[Doc], has_more: bool, url: str) -> Doc:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def line_items(sim: Simulation, session: Doc) -> list[Doc]:
    items: list[Doc] = sim.get("checkout.session", session["id"])["_line_items"]
    return items


INCLUDED: dict[tuple[str, str], Callable[[Simulation, Doc], list[Doc]]] = {
    ("charge", "refunds"): lambda sim, doc: payments.list_refunds(sim, {"charge": doc["id"]}),
    ("checkout.session", "line_items"): line_items,
    ("customer", "subscriptions"): lambda sim, doc: subscriptions.list_(
        sim, {"customer": doc["id"]}
    ),
    ("customer", "tax_ids"): lambda sim, doc: customers.list_tax_ids(sim, {}, doc["id"]),
    ("invoice", "payments"): lambda sim, doc: invoices.list_payments(sim, {"invoice": doc["id"]}),
}


def expand(sim: Simulation, doc: Doc, path: str) -> None:
    """Replace what ``path`` names within a public copy. Raises InvalidRequest."""
    name, _, rest = path.partition(".")
    found = doc.get(name)
    included = INCLUDED.get((doc.get("object", ""), name))
    if isinstance(found, str):
        found = public(sim.store.find(found))
    elif found is None and included:
        found = listed(public(included(sim, doc)), False, f"/v1/{name}")
    if found is None and doc.get(name, "") is not None:
        message = f"{path} is not to be expanded."
        raise InvalidRequest(message, code="property_expansion_invalid", param="expand")
    doc[name] = found
    if rest:
        for one in found if isinstance(found, list) else [found]:
            expand_within(sim, one, rest)


def expand_within(sim: Simulation, value: Any, path: str) -> None:
    if isinstance(value, dict):
        expand(sim, value, path)
