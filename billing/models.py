"""What an account may do: the plans on offer, and the one it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from billing import limits

if TYPE_CHECKING:
    from accounts.models import Account

TRIAL = "free-trial"


def validate_limits(amounts: dict[str, int]) -> None:
    try:
        limits.parse(amounts)
    except ValueError as error:
        raise ValidationError(str(error)) from error


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
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    @transaction.atomic
    def start(self, account: Account, plan: Plan) -> Subscription:
        """Put ``account`` on ``plan`` from now on; every process knows at once."""
        now = timezone.now()
        trial = plan.slug == TRIAL
        subscription, _ = self.update_or_create(
            account=account,
            defaults={
                "plan": plan,
                "status": Subscription.Status.TRIALING if trial else Subscription.Status.ACTIVE,
                "started_at": now,
                "current_period_start": now,
                "current_period_end": None,
            },
        )
        account.raise_epoch()
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
    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.account} on {self.plan}"

    @property
    def limits(self) -> limits.Limits:
        """What holds: the plan's limits with this account's overrides laid over them."""
        return limits.parse({**self.plan.limits, **self.limit_overrides})
