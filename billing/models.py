"""What an account may do: the plans on offer, and the one it has."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import SYSTEM, Action, Actor
from billing import limits
from billing.calendar_months import after_months
from webhooks.event_types import EventType
from webhooks.events import emit
from webhooks.moments import written

if TYPE_CHECKING:
    from accounts.models import Account, APIKey


def validate_limits(amounts: dict[str, int]) -> None:
    try:
        limits.parse(amounts)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def limit_key(api_key: APIKey, amounts: dict[str, int], *, by: Actor) -> None:
    """Give one key limits of its own beside those of the plan. Raises ValidationError."""
    try:
        limits.parse(amounts, limits.OF_KEYS)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    api_key.limit(amounts, by=by)


class PlanQuerySet(models.QuerySet["Plan"]):
    def on_offer(self) -> PlanQuerySet:
        return self.filter(retired_at=None)

    def first_on_offer(self) -> Plan:
        """What newcomers get. Raises ``Plan.DoesNotExist`` where nothing is on offer."""
        return self.on_offer().earliest("position", "pk")


class Plan(models.Model):
    """An offer of the catalogue. ``interval_months`` is 0 where nothing is ever charged."""

    class RetentionClass(models.TextChoices):
        STANDARD = "standard", "30 days"
        EXTENDED = "extended", "Extended"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=50)
    position = models.PositiveSmallIntegerField(default=0)
    interval_months = models.PositiveSmallIntegerField(default=0)
    limits = models.JSONField(default=dict, blank=True, validators=[validate_limits])
    retention_class = models.CharField(
        max_length=10, choices=RetentionClass, default=RetentionClass.STANDARD
    )
    trial = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)
    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def hard_limits(self) -> dict[str, int]:
        return {name: amount for name, amount in self.limits.items() if name in limits.NAMES}


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def limits_of(self, account_ids: Collection[int]) -> dict[int, limits.Limits]:
        """What holds for each of these accounts."""
        rows = self.filter(account__in=account_ids)
        agreed = rows.values_list("account_id", "plan__limits", "limit_overrides")
        return {pk: limits.parse({**plan, **overrides}) for pk, plan, overrides in agreed}

    @transaction.atomic
    def start(self, account: Account, plan: Plan, *, by: Actor = SYSTEM) -> Subscription:
        """Put ``account`` on ``plan`` from now on; every process knows at once."""
        now = timezone.now()
        before = self.filter(account=account).values_list("plan__name", flat=True).first()
        status = Subscription.Status.TRIALING if plan.trial else Subscription.Status.ACTIVE
        subscription, _ = self.update_or_create(
            account=account,
            defaults={
                "plan": plan,
                "status": status,
                "started_at": now,
                "current_period_start": now,
                "current_period_end": None,
            },
        )
        account.raise_epoch()
        if before not in (None, plan.name):
            audit.record(account, Action.PLAN_CHANGED, by=by, about=plan.name, before=before)
        return subscription


class Subscription(models.Model):
    """The contract of one account. Field names and statuses are Stripe's."""

    class Status(models.TextChoices):
        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        CANCELED = "canceled"

    account = models.OneToOneField(
        "accounts.Account", on_delete=models.CASCADE, related_name="subscription"
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    status = models.CharField(max_length=20, choices=Status)
    started_at = models.DateTimeField()
    current_period_start = models.DateTimeField()
    current_period_end = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
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
    def next_period_end(self) -> datetime:
        """When the period after this one ends. A plan that is never charged has months."""
        begin = self.current_period_end or timezone.now()
        return after_months(begin, self.plan.interval_months or 1)

    @transaction.atomic
    def renew(self, until: datetime, *, by: Actor = SYSTEM) -> bool:
        """Another period begins where this one ends, or now if it had ended, and lasts ``until``.

        False if it lasts that long already, so that renewing twice renews once.
        """
        held = Subscription.objects.select_for_update().get(pk=self.pk)
        ended = held.status == self.Status.CANCELED
        if held.current_period_end and until <= held.current_period_end and not ended:
            return False
        begins_at = None if ended else held.current_period_end
        held.current_period_start = begins_at or timezone.now()
        held.current_period_end, held.status = until, self.Status.ACTIVE
        held.save(update_fields=["current_period_start", "current_period_end", "status"])
        held._turned(Action.PLAN_RENEWED, EventType.SUBSCRIPTION_RENEWED, by)
        self.refresh_from_db()
        return True

    @transaction.atomic
    def expire(self, *, by: Actor = SYSTEM) -> bool:
        """Its time is over: keys are refused until it is renewed or another plan is chosen.

        False if it had ended before.
        """
        running = Subscription.objects.filter(pk=self.pk).exclude(status=self.Status.CANCELED)
        if not running.update(status=self.Status.CANCELED):
            return False
        self.refresh_from_db()
        self._turned(Action.PLAN_EXPIRED, EventType.SUBSCRIPTION_EXPIRED, by)
        return True

    def _turned(self, action: Action, event_type: EventType, by: Actor) -> None:
        """On record, told, and known to every process."""
        self.account.raise_epoch()
        audit.record(self.account, action, by=by, about=self.plan.name)
        end = self.current_period_end
        facts = {
            "plan": self.plan.slug,
            "period_start": written(self.current_period_start),
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
