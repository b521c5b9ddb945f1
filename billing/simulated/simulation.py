"""What every part of the simulated Stripe works with: its objects, its time, and its events."""

import json
import secrets
import string
import time
from dataclasses import dataclass, field
from typing import Any

import stripe

from billing.simulated.clock import Clock
from billing.simulated.errors import NoSuchObject
from billing.simulated.events import describe
from billing.simulated.store import Doc, Store

ALPHABET = string.ascii_letters + string.digits
PREFIXES = {  # of ids, by what they name
    "billing_portal.configuration": "bpc",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "customer": "cus",
    "customer_balance_transaction": "cbtxn",
    "dispute": "dp",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "item": "li",
    "line_item": "il",
    "payment_intent": "pi",
    "payment_method": "pm",
    "price": "price",
    "product": "prod",
    "refund": "re",
    "subscription": "sub",
    "subscription_item": "si",
    "subscription_schedule": "sub_sched",
    "tax_id": "txi",
}
HELD = 1e18  # a moment that never comes


@dataclass(frozen=True)
class Settings:
    """How it was started. Without ``webhook`` events are kept, and sent nowhere."""

    url: str
    key: str = "sk_test_simulated"
    webhook: str = ""
    webhook_secret: str = ""
    after_retries: str = "cancel"  # or unpaid, past_due: what becomes of who never paid


@dataclass
class Origin:
    """The request that events are the consequence of; empty if time was."""

    id: str | None = None
    idempotency_key: str | None = None


@dataclass
class Simulation:
    store: Store
    settings: Settings
    origin: Origin = field(default_factory=Origin)

    def __post_init__(self) -> None:
        self.clock = Clock(self.store)

    def now(self) -> int:
        return self.clock.now()

    def new(self, kind: str, /, **fields: Any) -> Doc:
        """An object that nobody has seen; ``save`` it."""
        key = f"{PREFIXES[kind]}_{''.join(secrets.choice(ALPHABET) for _ in range(24))}"
        return {"id": key, "object": kind, "created": self.now(), **fields}

    def get(self, kind: str, key: str, param: str = "id") -> Doc:
        """Raises NoSuchObject."""
        doc = self.store.find(key)
        if doc is None or doc["object"] != kind:
            raise NoSuchObject(kind, key, param)
        return doc

    def save(self, doc: Doc, *event_types: str) -> Doc:
        """Keep it as it is now, and tell of it; ``*.updated`` only if something has changed."""
        before = json.loads(self.store.stored(doc["id"]) or "null")
        self.store.put(doc)
        for event_type in event_types:
            self.emit(event_type, doc, before)
        return doc

    def emit(self, event_type: str, doc: Doc, before: Doc | None = None) -> None:
        data = describe(event_type, doc, before)
        if data is None:
            return
        event = self.new(
            "event",
            type=event_type,
            data=data,
            api_version=stripe.api_version,
            livemode=False,
            pending_webhooks=1 if self.settings.webhook else 0,
            request={"id": self.origin.id, "idempotency_key": self.origin.idempotency_key},
        )
        self.store.put(event)
        if self.settings.webhook:
            due = time.time() + self.store.fact("delay", 0)
            self.store.schedule(event["id"], HELD if self.store.fact("held", False) else due)
