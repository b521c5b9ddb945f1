"""The page where a person makes time pass and cards fail; a real Stripe has none like it.

What can be done here a test does by a control call, and what happens then is the same.
"""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.simulated import timetable
from billing.simulated.control import Control
from billing.simulated.errors import InvalidRequest, StripeError
from billing.simulated.exchange import Answer, Request
from billing.simulated.objects import customers, payments
from billing.simulated.objects.calendar import months_later
from billing.simulated.objects.cards import ACCEPTED
from billing.simulated.objects.renewals import HOUR, RUNNING
from billing.simulated.pages import subscribers
from billing.simulated.pages.frame import button, joined, minute, page, redirect
from billing.simulated.pages.same_origin import foreign
from billing.simulated.pages.subscribers import DECLINED
from billing.simulated.simulation import HELD, Origin, Simulation
from billing.simulated.store import Doc

PATH = "/time"
STEPS = {"day": "A day later", "week": "A week later", "month": "A month later"}
JUST_AFTER = 60  # seconds
SHOWN = 20  # events
INTRODUCTION = format_html(
    "<p>{}</p><p>{}</p>",
    "Nothing here is real: no card is charged, no bank is asked, nobody owes anything.",
    "The time of plans, trials and renewals runs like yours until you push it on. It cannot be"
    " turned back.",
)


@dataclass
class TimePage:
    control: Control

    def __post_init__(self) -> None:
        self.sim = self.control.sim

    def answer(self, request: Request) -> Answer:
        """What is refused has changed nothing."""
        if foreign(request, self.sim.settings.url):
            said = format_html("<p>{}</p>", "Another site asked for this, and nothing was done.")
            return page("Not from elsewhere", said, status=403)
        with self.sim.store.transaction():
            timetable.pass_time(self.sim)
            self.sim.origin = Origin()  # no request to the API
            if request.method != "POST":
                return self.show()
            try:
                with self.sim.store.transaction():
                    self.act(request.form)
            except StripeError as error:
                return self.show(str(error))
        return redirect(PATH)

    def act(self, typed: dict[str, str]) -> None:
        """Raises InvalidRequest for what the page does not offer, NoSuchObject."""
        match typed.get("action", ""):
            case "day":
                self.control.advance({"days": 1})
            case "week":
                self.control.advance({"days": 7})
            case "month":
                self.control.advance({"to": months_later(self.sim.now(), 1)})
            case "renewal":
                self.control.advance({"to": self.after_renewal()})
            case "decline" | "accept" | "dispute" | "refund" | "lose" | "win" as act:
                self.happen(act, customers.living(self.sim, typed.get("customer", "")))
            case unknown:
                raise InvalidRequest(f"This page knows no act {unknown!r}.")

    def after_renewal(self) -> int:
        due = next_renewal(self.sim)
        if due is None:
            raise InvalidRequest("Nobody has a subscription that goes on.")
        return due + JUST_AFTER

    def happen(self, act: str, customer: Doc) -> None:
        """To the cards of a customer, or to their last payment."""
        if act not in subscribers.possible(self.sim, customer):
            raise InvalidRequest(f"This cannot happen to {subscribers.name_of(customer)} now.")
        if act in ("decline", "accept"):
            outcome = ACCEPTED if act == "accept" else DECLINED
            self.control.card({"customer": customer["id"], "outcome": outcome})
        elif payment := subscribers.last_payment(self.sim, customer):
            self.take_back(act, payment)

    def take_back(self, act: str, payment: Doc) -> None:
        if act == "dispute":
            self.control.dispute({"charge": payment["id"]})
        elif act == "refund":
            payments.create_refund(self.sim, {"charge": payment["id"]})
        elif dispute := subscribers.open_dispute(self.sim, payment):
            self.control.close_dispute({"dispute": dispute["id"], "won": act == "win"})

    def show(self, error: str = "") -> Answer:
        people = [subscribers.section(self.sim, *one) for one in subscribers.subscribers(self.sim)]
        if not people:
            people = [format_html("<section><p>{}</p></section>", "Nobody has subscribed yet.")]
        parts = [INTRODUCTION, self.clock(), self.steps(), *people, events(self.sim)]
        answer = page("Let time pass", *parts, error=error)
        # The frame's policy would hide from us, too, that it is this page that asks.
        return replace(answer, headers={**answer.headers, "referrer-policy": "same-origin"})

    def clock(self) -> SafeString:
        clock = self.control.clock({})
        still = " It stands still until you push it on." if clock["frozen"] else ""
        said = distance(clock["now"] - int(time.time()))
        now = minute(clock["now"])
        return format_html("<p><strong>It is {}.</strong> That is {}.{}</p>", now, said, still)

    def steps(self) -> SafeString:
        buttons = [button(act, label) for act, label in STEPS.items()]
        said = "Nobody has a subscription that goes on."
        if due := next_renewal(self.sim):
            buttons.append(button("renewal", "Until just after the next renewal"))
            said = f"The next renewal, or the next end, is due on {minute(due)}."
        return format_html('<p>{}</p><div class="acts">{}</div>', said, joined(buttons))


def next_renewal(sim: Simulation) -> int | None:
    """When the next one is charged: an hour after its invoice was written, or is going to be."""
    drafts = [timetable.invoice_due_at(one) for one in sim.store.all("invoice", status="draft")]
    written = [
        one["items"]["data"][0]["current_period_end"] + HOUR
        for one in sim.store.all("subscription")
        if one["status"] in RUNNING
    ]
    return min([*filter(None, drafts), *written], default=None)


def distance(seconds: int) -> str:
    """From the real time.

    >>> distance(93_600)
    '1 day and 2 hours ahead of the real time'
    """
    days, hours = divmod(abs(seconds) // HOUR, 24)
    if not days and not hours:
        return "the real time, or almost"
    parts = [f"{n} {unit}{'s' * (n > 1)}" for n, unit in ((days, "day"), (hours, "hour")) if n]
    return f"{' and '.join(parts)} {'ahead of' if seconds > 0 else 'behind'} the real time"


def events(sim: Simulation) -> SafeString:
    """The last of them, and whether they have reached who is told of them."""
    waiting = dict(sim.store.scheduled(HELD))
    rows = format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
        (
            (short(event["created"]), event["type"], delivery(sim, event, waiting))
            for event in sim.store.all("event")[:SHOWN]
        ),
    )
    heads = format_html_join("", '<th scope="col">{}</th>', (("When",), ("What",), ("Delivery",)))
    return format_html(
        "<section><h2>What happened last</h2><table><thead><tr>{}</tr></thead>"
        "<tbody>{}</tbody></table></section>",
        heads,
        rows,
    )


def short(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%-d %b, %H:%M}"


def delivery(sim: Simulation, event: Doc, waiting: dict[str, int]) -> str:
    """``waiting`` are the attempts that failed, by the events that are still to be delivered."""
    if not sim.settings.webhook:
        return "goes nowhere"
    if not event["pending_webhooks"]:
        return "arrived"
    if event["id"] not in waiting:
        return "given up"
    failed = waiting[event["id"]]
    return f"failed {failed} time{'s' * (failed > 1)}, is tried again" if failed else "waits"
