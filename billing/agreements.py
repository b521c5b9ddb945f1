"""What can be agreed about a plan, and how that stands: the words of every contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import models

from billing.plans import Plan
from billing.prices import Price


class Status(models.TextChoices):
    """Stripe's words. Who is ``incomplete`` or ``canceled`` is refused, all others are served."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due", "Past due"
    CANCELED = "canceled"


class Ended(models.TextChoices):
    """Why a plan is over."""

    TRIAL = "trial", "the trial is over"
    UNPAID = "unpaid", "it was not paid"
    CANCELED = "canceled", "it was cancelled"
    DISPUTED = "disputed", "its payment was taken back"
    PERIOD = "period", "its time is over"
    NO_TRIAL = "no_trial", "this person has had a trial before"
    REFUSED = "refused", "the trial was not granted"


# What no contract has that Stripe does not run.
OF_ITS_OWN: dict[str, object] = {
    "stripe_id": None,
    "price": None,
    "next_plan": None,
    "cancel_at_period_end": False,
    "past_due_at": None,
    "grace_ends_at": None,
    "ended_because": "",
}


class Renewal(NamedTuple):
    """A period that was paid for, and of which plan if not of the present one."""

    start: datetime
    end: datetime | None
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What Stripe says of a subscription of ours, in our words."""

    stripe_id: str
    plan: Plan
    price: Price
    status: Status
    started_at: datetime
    current_period_start: datetime
    current_period_end: datetime
    cancel_at_period_end: bool = False
    next_plan: Plan | None = None
    past_due_at: datetime | None = None
    grace_ends_at: datetime | None = None
    ended_because: str = ""
