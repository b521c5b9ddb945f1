"""What a test, or a person with the key, can make happen: time, cards, disputes, deliveries.

All below ``/_control/``, in JSON, and none of it is Stripe's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billing.simulated import timetable
from billing.simulated.api import API, check, refusal
from billing.simulated.errors import InvalidRequest, StripeError
from billing.simulated.exchange import Answer, Request
from billing.simulated.objects import payments
from billing.simulated.objects.calendar import DAY
from billing.simulated.objects.cards import OUTCOMES
from billing.simulated.postman import Postman
from billing.simulated.routes import NoSuchPath
from billing.simulated.simulation import HELD
from billing.simulated.store import Doc

DELIVERY = {"held": bool, "delay": (int, float), "times": int}


@dataclass
class Control:
    api: API
    postman: Postman

    def __post_init__(self) -> None:
        self.sim = self.api.sim
        self.verbs: dict[tuple[str, str], Callable[[Doc], Any]] = {
            ("GET", "clock"): self.clock,
            ("POST", "freeze"): self.freeze,
            ("POST", "advance"): self.advance,
            ("POST", "card"): self.card,
            ("POST", "dispute"): self.dispute,
            ("POST", "dispute/close"): self.close_dispute,
            ("GET", "deliveries"): self.deliveries,
            ("POST", "deliveries"): self.set_deliveries,
            ("GET", "requests"): lambda given: list(self.api.asked),
        }
        self.free: dict[tuple[str, str], Callable[[Doc], Any]] = {  # begin without a transaction
            ("POST", "deliver"): self.deliver,
            ("POST", "reset"): self.reset,
        }

    def answer(self, request: Request) -> Answer:
        try:
            check(self.sim, request)
            given = request.document
            asked = request.method, request.path.removeprefix("/_control/")
            if asked in self.free:
                return Answer.json(self.free[asked](given))
            verb = self.verbs.get(asked)
            if verb is None:
                raise NoSuchPath(f"{request.method} {request.path} controls nothing.")
            with self.sim.store.transaction():
                return Answer.json(verb(given))
        except StripeError as error:
            return refusal(error)
        except (KeyError, ValueError, TypeError) as error:
            return refusal(InvalidRequest(f"That cannot be read: {error!r}"))

    def clock(self, given: Doc) -> Doc:
        frozen = self.sim.store.fact("frozen_at", None) is not None
        return {"now": self.sim.now(), "frozen": frozen}

    def freeze(self, given: Doc) -> Doc:
        """From now on time passes when it is told to, and only then."""
        self.sim.clock.freeze()
        return self.clock(given)

    def advance(self, given: Doc) -> Doc:
        """By ``seconds`` or ``days``, or ``to`` a moment; all that is due on the way happens."""
        until = self.sim.now() + given.get("seconds", 0) + given.get("days", 0) * DAY
        if "to" in given:
            until = moment(given["to"])
        if until < self.sim.now():
            raise InvalidRequest("Time does not run backwards.", param="to")
        timetable.pass_time(self.sim, until)
        self.sim.clock.set(until)
        return self.clock(given)

    def card(self, given: Doc) -> Doc:
        """What becomes of every further charge to the cards of a ``customer``: the ``outcome``."""
        if given["outcome"] not in OUTCOMES:
            raise InvalidRequest(f"An outcome is one of {', '.join(sorted(OUTCOMES))}.")
        methods = self.sim.store.all("payment_method", customer=given["customer"])
        for method in methods:
            self.sim.save(method | {"_outcome": given["outcome"]})
        return {"cards": [method["id"] for method in methods]}

    def dispute(self, given: Doc) -> Doc:
        """The owner of the card has told their bank that it was not them."""
        charge = self.sim.get("charge", given["charge"], "charge")
        return payments.open_dispute(self.sim, charge, given.get("reason", "fraudulent"))

    def close_dispute(self, given: Doc) -> Doc:
        dispute = self.sim.get("dispute", given["dispute"], "dispute")
        return payments.close_dispute(self.sim, dispute, won=bool(given["won"]))

    def deliveries(self, given: Doc) -> Doc:
        waiting = [event for event, _ in self.sim.store.scheduled(HELD)]
        defaults = {"held": False, "delay": 0, "times": 1}
        known = {name: self.sim.store.fact(name, value) for name, value in defaults.items()}
        return {**known, "waiting": waiting}

    def set_deliveries(self, given: Doc) -> Doc:
        """``held``: keep events back; ``delay`` them by seconds; send each so many ``times``."""
        for name, value in given.items():
            if name not in DELIVERY or not isinstance(value, DELIVERY[name]):  # type: ignore[arg-type]
                raise InvalidRequest(f"{name} cannot be set to {value!r}.", param=name)
            self.sim.store.set_fact(name, value)
        if given.get("held") is False:
            self.postman.release()
        return self.deliveries(given)

    def deliver(self, given: Doc) -> Doc:
        """Send these ``events`` now, in this order, as often as each is named, waiting or not."""
        if not self.sim.settings.webhook:
            raise InvalidRequest("There is no webhook to deliver to.")
        with self.sim.store.transaction():
            events = given["events"] if "events" in given else self.deliveries({})["waiting"]
        return {"statuses": [self.postman.send(key) for key in events]}

    def reset(self, given: Doc) -> Doc:
        """Forget everything: objects, time, what is to be delivered."""
        with self.postman.underway:
            self.sim.store.forget()
        self.api.asked.clear()
        return {}


def moment(given: int | str) -> int:
    """A Unix time, or a date and perhaps time of ISO 8601, in UTC unless it says otherwise."""
    if isinstance(given, int):
        return given
    parsed = datetime.fromisoformat(given)
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
