"""The contract of an account: its plan, until when, and what follows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction

from accounts import audit, notices
from accounts.audit import SYSTEM, Action, Actor
from billing import clock, limits
from billing.agreements import OF_ITS_OWN, Agreed, Ended, Renewal, Status
from billing.calendar_months import after_months
from billing.plans import Plan, validate_limits
from billing.prices import Price
from webhooks.event_types import EventType
from webhooks.events import emit
from webhooks.moments import written

if TYPE_CHECKING:
    from accounts.models import Account


EVER = models.Q()


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def at_stripe(self) -> SubscriptionQuerySet:
        """Those that the Stripe runs with which we speak. What another one ran ends by itself."""
        return self.filter(stripe_id__isnull=False, price__mode=settings.STRIPE.mode)

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
    def is_at_stripe(self) -> bool:
        """Whether the Stripe runs it, or ran it last, with which we speak."""
        return bool(self.stripe_id and self.price and self.price.mode == settings.STRIPE.mode)

    @property
    def is_running(self) -> bool:
        """Whether it can be changed at Stripe."""
        return self.is_at_stripe and self.is_served

    @property
    def owes(self) -> bool:
        """Whether an invoice must be paid before anything else can be bought."""
        unpaid = self.status == Status.PAST_DUE or self.ended_because == Ended.UNPAID
        return bool(self.is_at_stripe and unpaid and self.past_due_at)

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
    def expire(
        self,
        because: Ended = Ended.CANCELED,
        *,
        still: models.Q = EVER,
        by: Actor = SYSTEM,
        **said: str,
    ) -> bool:
        """Its time is over: keys are refused until it is renewed or another plan is chosen.

        Where there is a plan that is free for good, that one follows. ``said`` goes on record.
        False, and nothing is done, if it had ended before or is ``still`` no longer so.
        """
        running = Subscription.objects.filter(still, pk=self.pk).exclude(status=Status.CANCELED)
        if not running.update(status=Status.CANCELED, ended_because=because):
            return False
        self.refresh_from_db()
        self.account.raise_epoch()
        self._tell_ended()
        self._record(Action.PLAN_EXPIRED, by=by, **said)
        self._fall_back()
        return True

    @transaction.atomic
    def follow(self, agreed: Agreed, renewals: Sequence[Renewal] = ()) -> bool:
        """Become what Stripe says, of a row that is locked; ``renewals`` were not told of before.

        Who was over and is served again is told so as well. False if there is nothing new.
        """
        before, plan_before = self.status, self.plan
        changed = [name for name in FOLLOWED if getattr(self, name) != getattr(agreed, name)]
        if not changed and not renewals:
            return False
        for name in changed:
            setattr(self, name, getattr(agreed, name))
        self.save(update_fields=changed)
        self.account.raise_epoch()
        ends = agreed.status == Status.CANCELED != before
        if before == Status.CANCELED != agreed.status and not renewals:
            renewals = [Renewal(agreed.current_period_start, agreed.current_period_end)]
        for renewal in renewals:
            self.tell(EventType.SUBSCRIPTION_RENEWED, renewal)
        if ends:
            self._tell_ended()
        # On record last: whoever emits waits for nobody who waits for the record.
        if plan_before != self.plan:
            self._record(Action.PLAN_CHANGED, before=plan_before.name)
        for _ in renewals:
            self._record(Action.PLAN_RENEWED)
        if ends:
            self._record(Action.PLAN_EXPIRED)
            self._fall_back()
        return True

    @transaction.atomic
    def tell_renewed(self, *, by: Actor = SYSTEM) -> None:
        """This period is a new one."""
        self.tell(EventType.SUBSCRIPTION_RENEWED)
        self._record(Action.PLAN_RENEWED, by=by)

    def tell(self, event_type: EventType, about: Renewal | None = None) -> None:
        """Emit an event about this period, unless it is ``about`` another one."""
        about = about or Renewal(self.current_period_start, self.current_period_end)
        facts = {
            "plan": about.plan or self.plan.slug,
            "period_start": written(about.start),
            "period_end": written(about.end) if about.end else None,
        }
        emit(self.account_id, event_type, facts)

    def _tell_ended(self) -> None:
        self.tell(EventType.SUBSCRIPTION_EXPIRED)
        follows = self._free_after
        notices.tell(
            self.account, "plan_ended", about_money=True, subscription=self, follows=follows
        )

    @property
    def _free_after(self) -> Plan | None:
        free = Plan.objects.free_for_good()
        return None if free == self.plan else free

    def _fall_back(self) -> None:
        """On the plan that is free for good, where there is one."""
        if free := self._free_after:
            Subscription.objects.start(self.account, free)
            self.refresh_from_db()

    def _record(self, action: Action, *, by: Actor = SYSTEM, **said: str) -> None:
        audit.record(self.account, action, by=by, about=self.plan.name, **said)

    @transaction.atomic
    def keep_logs(self, retention_class: str, *, by: Actor = SYSTEM) -> None:
        """Keep requests from now on as agreed, whatever the plan says; empty: as the plan says.

        What was written before keeps its time: the journal's record of a call names its class,
        and a row that moved to another one could be stored a second time.
        """
        self.retention_override = retention_class
        self.save(update_fields=["retention_override"])
        self.account.raise_epoch()
        self._record(Action.RETENTION_CHANGED, by=by, keeps=retention_class or "as the plan says")


PERIOD = ("current_period_start", "current_period_end")
FOLLOWED = tuple(Agreed.__dataclass_fields__)
