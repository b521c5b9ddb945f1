"""How the contract of an account stands: in a word, and at the foot of every page."""

from dataclasses import dataclass
from datetime import datetime

from billing import unserved
from billing.agreements import Ended, Status
from billing.models import Subscription


@dataclass(frozen=True, slots=True)
class PlanState:
    """``brief`` says what comes next and when; empty where nothing does."""

    word: str
    tone: str
    brief: str = ""


def state_of(subscription: Subscription) -> PlanState:
    if refusal := unserved.unserved(subscription):
        return _of_unserved(refusal.words, subscription)
    end = day(subscription.current_period_end)
    if subscription.status == Status.PAST_DUE:
        return PlanState("past due", "bad", f"served until {day(subscription.grace_ends_at)}")
    if subscription.status == Status.TRIALING:
        return PlanState("trial", "accent", f"ends {end}" if end else "")
    if subscription.cancel_at_period_end:
        return PlanState("cancelled", "warn", f"ends {end}")
    if subscription.next_plan:
        return PlanState("active", "ok", f"{subscription.next_plan} from {end}")
    verb = "renews" if subscription.is_at_stripe else "ends"
    return PlanState("active", "ok", f"{verb} {end}" if end else "")


def _of_unserved(words: str, subscription: Subscription) -> PlanState:
    if subscription.status == Status.CANCELED:
        never = subscription.ended_because in (Ended.NO_TRIAL, Ended.REFUSED)
        return PlanState("no trial" if never else "ended", "bad")
    word = "in review" if words == unserved.IN_REVIEW else "not begun"
    return PlanState(word, "warn")


def day(moment: datetime | None) -> str:
    """
    >>> day(datetime(2027, 1, 3)), day(None)
    ('3 Jan 2027', '')
    """
    return f"{moment:%-d %b %Y}" if moment else ""
