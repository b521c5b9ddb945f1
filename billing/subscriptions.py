"""The contract of an account: its plan, until when, and what follows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction

from accounts import audit, notices
from accounts.audit import SYSTEM, Action, Actor
from billing import clock, limits
from billing.calendar_months import after_months
from billing.plans import Plan, validate_limits
from billing.prices import Price
from webhooks.event_types import EventType
from webhooks.events import emit
from webhooks.moments import written

if TYPE_CHECKING:
    from accounts.models import Account


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


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def limits_of(self, account_ids: Collection[int]) -> dict[int, limits.Limits]:
        """What holds for each of these accounts."""
        rows = self.filter(account__in=account_ids)
        agreed = rows.values_list("account_id", "plan__limits", "limit_overrides")
        return {pk: limits.parse({**plan, **overrides}) for pk, plan, overrides in agreed}

    @transaction.atomic
    def start(
        self, account: Account, plan: Plan, *, until: datetime | None = None, by: Actor = SYSTEM
    ) -> Subscription:
        """Put ``account`` on ``plan`` from now on; every process knows at once.

        It has no end unless ``until`` says so, or it is a trial that has one. Stripe has nothing
        to do with it.
        """
        now = clock.now()
        before = self.filter(account=account).values_list("plan__name", flat=True).first()
        if plan.trial and plan.trial_days is not None and until is None:
            until = now + timedelta(days=plan.trial_days)
        begun = {"status": Status.TRIALING if plan.trial else Status.ACTIVE, "started_at": now}
        period = {"current_period_start": now, "current_period_end": until}
        subscription, _ = self.update_or_create(
            account=account, defaults={**OF_ITS_OWN, **begun, **period, "plan": plan}
        )
        account.raise_epoch()
        if before not in (None, plan.name):
            audit.record(account, Action.PLAN_CHANGED, by=by, about=plan.name, before=before)
        return subscription

    @transaction.atomic
    def withhold(self, account: Account, plan: Plan, *, because: str = "") -> Subscription:
        """``account`` is meant to have ``plan``, and is not served yet; or never, ``because``."""
        now = clock.now()
        status = Status.CANCELED if because else Status.INCOMPLETE
        subscription, _ = self.update_or_create(
            account=account,
            defaults=OF_ITS_OWN
            | {"plan": plan, "status": status, "ended_because": because}
            | {"started_at": now, "current_period_start": now, "current_period_end": None},
        )
        account.raise_epoch()
        return subscription


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


class Subscription(models.Model):
    """The contract of one account. Field names and statuses are Stripe's.

    Stripe runs it where ``stripe_id`` is set; else it ends at ``current_period_end``, if it has
    one. Who is past due is served until ``grace_ends_at``.
    """

    Status = Status

    account = models.OneToOneField(
        "accounts.Account", on_delete=models.CASCADE, related_name="subscription"
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, null=True, blank=True)
    stripe_id = models.CharField(max_length=100, null=True, blank=True, unique=True)
    status = models.CharField(max_length=20, choices=Status)
    started_at = models.DateTimeField()
    current_period_start = models.DateTimeField()
    current_period_end = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
    next_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    past_due_at = models.DateTimeField(null=True, blank=True)
    grace_ends_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=10, choices=Ended, blank=True, default="")
    limit_overrides = models.JSONField(default=dict, blank=True, validators=[validate_limits])
    retention_override = models.CharField(
        max_length=10, choices=Plan.RetentionClass, blank=True, default=""
    )
    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.account} on {self.plan}"

    @property
    def limits(self) -> limits.Limits:
        """What holds: the plan's limits with this account's overrides laid over them."""
        return limits.parse({**self.plan.limits, **self.limit_overrides})

    @property
    def retention_class(self) -> str:
        """How long the log keeps what this account does: as was agreed with it, else its plan's."""
        return self.retention_override or self.plan.retention_class

    @property
    def is_served(self) -> bool:
        return self.status not in (Status.INCOMPLETE, Status.CANCELED)

    @property
    def next_period_end(self) -> datetime:
        """When the period after this one ends. A plan that is never charged has months."""
        begin = self.current_period_end or clock.now()
        return after_months(begin, self.plan.interval_months or 1)

    @transaction.atomic
    def renew(self, until: datetime, *, by: Actor = SYSTEM) -> bool:
        """Another period begins where this one ends, or now if it had ended, and lasts ``until``.

        False if it lasts that long already, so that renewing twice renews once.
        """
        held = Subscription.objects.select_for_update().get(pk=self.pk)
        if held.current_period_end and until <= held.current_period_end and held.is_served:
            return False
        begins_at = held.current_period_end if held.is_served else None
        held.current_period_start = begins_at or clock.now()
        held.current_period_end, held.status, held.ended_because = until, Status.ACTIVE, ""
        held.save(update_fields=[*PERIOD, "status", "ended_because"])
        held.account.raise_epoch()
        held.tell_renewed(by=by)
        self.refresh_from_db()
        return True

    @transaction.atomic
    def expire(self, because: Ended = Ended.CANCELED, *, by: Actor = SYSTEM, **said: str) -> bool:
        """Its time is over: keys are refused until it is renewed or another plan is chosen.

        Where there is a plan that is free for good, that one follows. ``said`` goes on record.
        False if it had ended before.
        """
        running = Subscription.objects.filter(pk=self.pk).exclude(status=Status.CANCELED)
        if not running.update(status=Status.CANCELED, ended_because=because):
            return False
        self.refresh_from_db()
        self.account.raise_epoch()
        self.tell(EventType.SUBSCRIPTION_EXPIRED)
        notices.tell(self.account, "plan_ended", about_money=True, subscription=self)
        audit.record(self.account, Action.PLAN_EXPIRED, by=by, about=self.plan.name, **said)
        free = Plan.objects.free_for_good()
        if free and free != self.plan:
            Subscription.objects.start(self.account, free)
            self.refresh_from_db()
        return True

    @transaction.atomic
    def follow(self, agreed: Agreed) -> bool:
        """Become what Stripe says, of a row that is locked. False if it says nothing new."""
        before, plan_before = self.status, self.plan
        changed = [name for name in FOLLOWED if getattr(self, name) != getattr(agreed, name)]
        if not changed:
            return False
        ends = agreed.status == Status.CANCELED != before
        for name in changed:
            setattr(self, name, getattr(agreed, name))
        if ends:
            self.status = Status(before)  # until it expires, below
        self.save(update_fields=changed)
        self.account.raise_epoch()
        if plan_before != self.plan:
            told = {"about": self.plan.name, "before": plan_before.name}
            audit.record(self.account, Action.PLAN_CHANGED, by=SYSTEM, **told)
        if ends:
            self.expire(Ended(agreed.ended_because))
        return True

    @transaction.atomic
    def tell_renewed(
        self, start: datetime | None = None, end: datetime | None = None, *, by: Actor = SYSTEM
    ) -> None:
        """A period has been renewed: this one, unless another is named."""
        self.tell(EventType.SUBSCRIPTION_RENEWED, start, end)
        audit.record(self.account, Action.PLAN_RENEWED, by=by, about=self.plan.name)

    def tell(
        self, event_type: EventType, start: datetime | None = None, end: datetime | None = None
    ) -> None:
        """Emit an event about a period: this one, unless another is named."""
        start, end = start or self.current_period_start, end or self.current_period_end
        facts = {
            "plan": self.plan.slug,
            "period_start": written(start),
            "period_end": written(end) if end else None,
        }
        emit(self.account_id, event_type, facts)

    @transaction.atomic
    def keep_logs(self, retention_class: str) -> None:
        """Keep requests from now on as agreed, whatever the plan says; empty: as the plan says.

        What was written before keeps its time: the journal's record of a call names its class,
        and a row that moved to another one could be stored a second time.
        """
        self.retention_override = retention_class
        self.save(update_fields=["retention_override"])
        self.account.raise_epoch()


PERIOD = ("current_period_start", "current_period_end")
FOLLOWED = tuple(Agreed.__dataclass_fields__)
