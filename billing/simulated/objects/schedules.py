"""Subscription schedules: a plan for now and another from the next period on.

Phases begin and end where periods do; others are refused.
"""

from typing import Any

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects.calendar import MONTHS, months_later
from billing.simulated.objects.catalog import change_metadata, months
from billing.simulated.parameters import DATED, EXPAND, METADATA, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

BEHAVIORS = {"none"}
PHASE = {
    "items": Needed([{"price": Needed(str), "quantity": int}]),
    "start_date": int,
    "end_date": int,
    "duration": {"interval": Needed(set(MONTHS)), "interval_count": int},
    "proration_behavior": BEHAVIORS,
}
CREATE = {"from_subscription": Needed(str), **EXPAND}
UPDATE = {
    "phases": [PHASE],
    "end_behavior": {"cancel", "release"},
    "proration_behavior": BEHAVIORS,
    "metadata": METADATA,
    **EXPAND,
}
LIST = {"customer": str, **DATED}


def create(sim: Simulation, given: Doc) -> Doc:
    """With one phase: the subscription as it is, until its period ends."""
    subscription = sim.get("subscription", given["from_subscription"], "from_subscription")
    if subscription["schedule"]:
        raise InvalidRequest("The subscription has a schedule.", param="from_subscription")
    item = subscription["items"]["data"][0]
    start, end = item["current_period_start"], item["current_period_end"]
    items = [{"price": item["price"]["id"], "quantity": item["quantity"]}]
    schedule = sim.new(
        "subscription_schedule",
        canceled_at=None,
        completed_at=None,
        current_phase={"start_date": start, "end_date": end},
        customer=subscription["customer"],
        end_behavior="release",
        livemode=False,
        metadata={},
        phases=[phase(sim, {"items": items}, start, end)],
        released_at=None,
        released_subscription=None,
        status="active",
        subscription=subscription["id"],
        test_clock=None,
    )
    sim.save(schedule, "subscription_schedule.created")
    subscription["schedule"] = schedule["id"]
    sim.save(subscription, "customer.subscription.updated")
    return schedule


def phase(sim: Simulation, given: Doc, start: int, end: int) -> Doc:
    [item] = given["items"]
    price = sim.get("price", item["price"], "phases[items][price]")
    listed = {"price": price["id"], "quantity": item.get("quantity", 1)}
    return {
        "add_invoice_items": [],
        "currency": price["currency"],
        "discounts": [],
        "items": [{"discounts": [], "metadata": {}, "tax_rates": [], **listed}],
        "metadata": {},
        "proration_behavior": given.get("proration_behavior", "none"),
        "start_date": start,
        "end_date": end,
    }


def update(sim: Simulation, given: Doc, key: str) -> Doc:
    schedule = active(sim, key)
    if "phases" in given:
        schedule["phases"] = planned(sim, schedule, given["phases"])
    schedule["end_behavior"] = given.get("end_behavior", schedule["end_behavior"])
    change_metadata(schedule, given)
    return sim.save(schedule, "subscription_schedule.updated")


def planned(sim: Simulation, schedule: Doc, given: list[Doc]) -> list[Doc]:
    """The running phase, which stays as it is, and those to come. Raises InvalidRequest."""
    [running, *later] = given or [{}]
    start, end = schedule["current_phase"]["start_date"], schedule["current_phase"]["end_date"]
    now = sim.get("subscription", schedule["subscription"])["items"]["data"][0]
    [item] = running.get("items", [{}])
    same = item.get("price") == now["price"]["id"] and item.get("quantity", 1) == now["quantity"]
    if not same or running.get("start_date", start) != start or running.get("end_date", end) != end:
        raise InvalidRequest("The first phase must be the running one.", param="phases")
    phases = [phase(sim, running, start, end)]
    for one in later:
        if one.get("start_date", end) != end:
            raise InvalidRequest("A phase must start where the last one ends.", param="phases")
        start, end = end, ending(sim, one, end)
        phases.append(phase(sim, one, start, end))
    return phases


def ending(sim: Simulation, given: Doc, start: int) -> int:
    """After the time that it names, else after one period."""
    one = months(sim.get("price", given["items"][0]["price"], "phases[items][price]"))
    length = given.get("duration")
    total = MONTHS[length["interval"]] * length.get("interval_count", 1) if length else one
    end = given.get("end_date", months_later(start, total))
    if end not in (months_later(start, number * one) for number in range(1, 121)):
        raise InvalidRequest("A phase must end where a period does.", param="phases")
    return int(end)


def active(sim: Simulation, key: str) -> Doc:
    """Raises InvalidRequest for one that is over."""
    schedule = sim.get("subscription_schedule", key)
    if schedule["status"] != "active":
        raise InvalidRequest(f"The schedule is {schedule['status']}.")
    return schedule


def retrieve(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("subscription_schedule", key)


def list_(sim: Simulation, given: Doc) -> list[Doc]:
    same = {"customer": given["customer"]} if "customer" in given else {}
    return sim.store.all("subscription_schedule", **same)


def release(sim: Simulation, given: Doc, key: str) -> Doc:
    """The subscription goes on as it is."""
    schedule = active(sim, key)
    subscription = sim.get("subscription", schedule["subscription"])
    let_go(sim, schedule, subscription)
    sim.save(subscription, "customer.subscription.updated")
    return schedule


def let_go(sim: Simulation, schedule: Doc, subscription: Doc) -> None:
    schedule |= {"status": "released", "released_at": sim.now(), "current_phase": None}
    schedule |= {"released_subscription": subscription["id"], "subscription": None}
    subscription["schedule"] = None
    sim.save(schedule, "subscription_schedule.released")


def of(sim: Simulation, subscription: Doc) -> Doc | None:
    key = subscription["schedule"]
    return sim.get("subscription_schedule", key) if key else None


def phase_at(sim: Simulation, subscription: Doc, moment: int) -> Doc | None:
    """The phase that runs then."""
    phases: list[Any] = (of(sim, subscription) or {"phases": []})["phases"]
    running = (one for one in phases if one["start_date"] <= moment < one["end_date"])
    return next(running, None)


def ends(sim: Simulation, subscription: Doc) -> bool:
    """Whether the schedule says that this period was the last one."""
    schedule = of(sim, subscription)
    over = schedule and schedule["phases"][-1]["end_date"] <= sim.now()
    return bool(over and schedule and schedule["end_behavior"] == "cancel")


def begin_phase(sim: Simulation, subscription: Doc, moment: int) -> None:
    """Called when a period begins: the next phase does too, or the schedule has done its work."""
    schedule = of(sim, subscription)
    if not schedule:
        return
    running = phase_at(sim, subscription, moment)
    if running is None:
        let_go(sim, schedule, subscription)
    else:
        schedule["current_phase"] = {name: running[name] for name in ("start_date", "end_date")}
        sim.save(schedule, "subscription_schedule.updated")
