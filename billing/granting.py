"""What operators do about a plan by hand, each act with its reason on record.

Where Stripe runs a subscription they are refused: what Stripe says next would undo them.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.audit import Action, Actor
from billing import clock
from billing.agreements import OF_ITS_OWN, Renewal, Status
from billing.calendar_months import after_months
from billing.plans import Plan
from billing.subscriptions import Subscription
from webhooks.event_types import EventType
from webhooks.moments import written

FOR_GOOD = "for good"


def refusal(subscription: Subscription) -> str:
    """Why its plan cannot be changed by hand; empty if it can."""
    if not subscription.is_running:
        return ""
    return (
        f"Stripe runs this subscription ({subscription.stripe_id}), and what Stripe says next "
        "would undo whatever is done here. Cancel it at Stripe first."
    )


@transaction.atomic
def grant(
    subscription: Subscription,
    plan: Plan,
    *,
    until: datetime | None = None,
    reason: str,
    by: Actor,
) -> None:
    """Put the account on ``plan`` from now on, for good or ``until``; a trial ends as it says.

    Raises ValidationError, by field; also if that is what the account has, so that granting twice
    grants once.
    """
    row = _held(subscription)
    why, before = _said(reason), row.plan
    if until:
        _check_future(until)
    if (row.plan, row.current_period_end) == (plan, until) and row.is_served:
        raise ValidationError(f"It has {plan} {until_words(until)} already.")
    row.plan = plan
    row.save(update_fields=["plan"])  # start() finds no change: what goes on record is the grant
    started = Subscription.objects.start(row.account, plan, until=until, by=by)
    ends = started.current_period_end
    said = {"before": before.name, "reason": why, "until": written(ends) if ends else FOR_GOOD}
    audit.record(row.account, Action.PLAN_GRANTED, by=by, about=plan.name, **said)
    subscription.refresh_from_db()


@transaction.atomic
def extend(subscription: Subscription, *, until: datetime, reason: str, by: Actor) -> None:
    """Have the plan last ``until``; one that had ended begins again now.

    Raises ValidationError, by field.
    """
    row = _held(subscription)
    why = _said(reason)
    _check_extension(row, until)
    begins_at = row.current_period_end if row.is_served else None
    if begins_at is None:  # what Stripe may still say of the one before is history from here on
        begins_at = row.started_at = row.current_period_start = clock.now()
    changed = {"current_period_end": until, "status": Status.ACTIVE, **OF_ITS_OWN}
    if row.plan.trial:
        changed["status"] = Status.TRIALING
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=[*changed, "started_at", "current_period_start"])
    row.account.raise_epoch()
    row.tell(EventType.SUBSCRIPTION_RENEWED, Renewal(begins_at, until))
    said = {"reason": why, "until": written(until)}
    audit.record(row.account, Action.PLAN_RENEWED, by=by, about=row.plan.name, **said)
    subscription.refresh_from_db()


@transaction.atomic
def renew(subscription: Subscription, *, by: Actor) -> None:
    """One more period of the plan: after this one, or from now on if it has ended.

    Raises ValidationError.
    """
    row = _held(subscription)
    if row.is_served:
        row.renew(row.next_period_end, by=by)
        return
    until = after_months(clock.now(), row.plan.interval_months or 1)
    extend(row, until=until, reason="Another period.", by=by)


@transaction.atomic
def end(subscription: Subscription, *, reason: str, by: Actor) -> None:
    """End the plan now. Where there is one that is free for good, that one follows.

    Raises ValidationError, by field.
    """
    row = _held(subscription)
    why = _said(reason)
    if not row.expire(by=by, reason=why):
        raise ValidationError("It has ended already.")
    subscription.refresh_from_db()


def _held(subscription: Subscription) -> Subscription:
    """The row, locked until the transaction is over. Raises ValidationError if Stripe runs it."""
    row = Subscription.objects.select_for_update(of=("self",)).select_related("plan", "account")
    found = row.get(pk=subscription.pk)
    if why := refusal(found):
        raise ValidationError(why)
    return found


def _said(reason: str) -> str:
    if not reason.strip():
        raise ValidationError({"reason": "Say why."})
    return reason.strip()


def _check_future(until: datetime) -> None:
    if until <= clock.now():
        raise ValidationError({"until": "This moment is past."})


def _check_extension(row: Subscription, until: datetime) -> None:
    _check_future(until)
    if row.status == Status.INCOMPLETE:
        raise ValidationError("This plan has not begun yet. Grant it instead.")
    if not row.is_served:
        return
    if row.current_period_end is None:
        raise ValidationError("This plan has no end. To give it one, grant it until a moment.")
    if until <= row.current_period_end:
        raise ValidationError({"until": f"It lasts {until_words(row.current_period_end)} already."})


def until_words(moment: datetime | None) -> str:
    return f"until {moment:%-d %B %Y, %H:%M} UTC" if moment else FOR_GOOD
