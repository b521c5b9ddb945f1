"""Delivers events to the webhook: signed as Stripe signs them, again and again until it says yes.

They can be held back, delayed, sent several times, and sent in any order by whoever asks for it.
"""

import json
import logging
import threading
import time
from contextlib import suppress
from typing import Any

import httpcore
import stripe

from billing.simulated import timetable
from billing.simulated.errors import NoSuchObject
from billing.simulated.events import public
from billing.simulated.simulation import HELD, Settings, Simulation
from billing.simulated.store import Doc

log = logging.getLogger(__name__)
PATIENCE = 10.0  # seconds that the receiver may take
LONGEST_PAUSE, MOST_ATTEMPTS = 3600, 84  # which is three days, in real time


class Postman:
    """``wake`` it when there may be something to deliver; it looks once a second anyway."""

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        self.wake = threading.Event()
        self.underway = threading.Lock()  # held while an event is; taken before a transaction

    def start(self) -> None:
        threading.Thread(target=self.run, daemon=True, name="postman").start()

    def run(self) -> None:
        while True:
            self.wake.wait(1.0)
            self.wake.clear()
            try:
                with self.sim.store.transaction():
                    timetable.pass_time(self.sim)
                self.deliver_due()
            except Exception:
                log.exception("The postman stumbled, and goes on")

    def deliver_due(self) -> None:
        with self.sim.store.transaction():
            due = self.sim.store.scheduled(time.time())
            times = self.sim.store.fact("times", 1)
        for event, attempts in due:
            with self.underway, suppress(NoSuchObject):  # all may have been forgotten meanwhile
                said = [self.send(event) for _ in range(times)]
                if not any(ok(status) for status in said):
                    self.put_off(event, attempts + 1)

    def send(self, key: str) -> int:
        """Post one event, whenever it happened; the status of the answer, 0 if there was none.

        No lock is held meanwhile: the receiver may ask for the object before it answers.
        """
        with self.sim.store.transaction():
            event = self.sim.get("event", key)
        status = post(self.sim.settings, event)
        if ok(status):
            with self.sim.store.transaction():
                event = self.sim.get("event", key)
                self.sim.save({**event, "pending_webhooks": 0})
                self.sim.store.unschedule(key)
        return status

    def put_off(self, event: str, attempts: int) -> None:
        pause = min(2 ** (attempts - 1), LONGEST_PAUSE)
        with self.sim.store.transaction():
            if attempts < MOST_ATTEMPTS:
                self.sim.store.schedule(event, time.time() + pause, attempts)
            else:
                self.sim.store.unschedule(event)

    def release(self) -> None:
        """Let go of what was held back."""
        for event, attempts in self.sim.store.scheduled(HELD):
            self.sim.store.schedule(event, time.time(), attempts)


def ok(status: int) -> bool:
    return 200 <= status < 300


def post(settings: Settings, event: Doc) -> int:
    payload = json.dumps(public(event), indent=2)
    signature = stripe.WebhookSignature.generate_signature_header(payload, settings.webhook_secret)
    headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Stripe-Signature", signature),
    ]
    timeout: dict[str, Any] = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
    try:
        answer = httpcore.request(
            *("POST", settings.webhook),
            headers=headers,
            content=payload.encode(),
            extensions={"timeout": timeout},
        )
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        return 0
    return answer.status
