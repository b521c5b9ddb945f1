"""All that the simulated Stripe serves: the API, its hosted pages, and the control calls."""

import re
from collections.abc import Callable

from billing.simulated import timetable
from billing.simulated.api import API
from billing.simulated.control import Control
from billing.simulated.errors import StripeError
from billing.simulated.exchange import Answer, Request
from billing.simulated.pages import checkout, invoice, time
from billing.simulated.pages.frame import gone
from billing.simulated.pages.portal import Portal
from billing.simulated.postman import Postman
from billing.simulated.simulation import Settings, Simulation
from billing.simulated.store import Store

Show = Callable[[Simulation, str], Answer]
Act = Callable[[Simulation, str, dict[str, str]], Answer]
PAGES: dict[str, tuple[Show, Act | None]] = {
    "checkout": (checkout.show, checkout.act),
    "portal": (
        lambda sim, key: Portal(sim, key).show(),
        lambda sim, key, typed: Portal(sim, key).act(typed),
    ),
    "invoice": (invoice.show, invoice.act),
    "invoice/pdf": (invoice.pdf, None),
}
PATH = re.compile(r"/(\w+)/(\w+)(/pdf)?")


class Site:
    """Answers requests one at a time. Whoever knows the address of a page may use it."""

    def __init__(self, state: str, settings: Settings) -> None:
        self.sim = Simulation(Store(state, timetable.due_at), settings)
        self.api = API(self.sim)
        self.postman = Postman(self.sim)
        self.control = Control(self.api, self.postman)
        self.time = time.TimePage(self.control)

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/v1/"):
            answer = self.api.answer(request)
        elif request.path.startswith("/_control/"):
            answer = self.control.answer(request)
        elif request.path == time.PATH:
            answer = self.time.answer(request)
        else:
            answer = self.page(request)
        if request.method != "GET":
            self.postman.wake.set()
        return answer

    def page(self, request: Request) -> Answer:
        match = PATH.fullmatch(request.path)
        found = PAGES.get(match[1] + (match[3] or "")) if match else None
        if not match or not found:
            return gone()
        show, act = found
        with self.sim.store.transaction():
            timetable.pass_time(self.sim)
            try:
                if request.method == "POST" and act:
                    return act(self.sim, match[2], request.form)
                return show(self.sim, match[2])
            except StripeError:
                return gone()
