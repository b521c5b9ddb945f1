"""Limits that were agreed with one account, from a day until another, and why.

The rows say what was agreed. What of it is in effect stands in ``Subscription.limit_overrides``,
where the gateway reads it; nothing else writes that field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Action, Actor
from billing import clock, limits
from billing.plans import validate_limits
from billing.subscriptions import Subscription
from webhooks.moments import written

Amounts = dict[str, int]


class OverrideQuerySet(models.QuerySet["Override"]):
    @transaction.atomic
    def agree(
        self,
        subscription: Subscription,
        *,
        limits: Mapping[str, int],
        reason: str,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        by: Actor,
    ) -> Override:
        """Lay ``limits`` over those of the plan, from now on or ``starts_at``.

        Without ``ends_at`` they hold until somebody ends them. Raises ValidationError, by field.
        """
        held = Subscription.objects.select_for_update().get(pk=subscription.pk)
        now = clock.now()
        override = self.model(subscription=held, limits=dict(limits), reason=reason.strip())
        override.starts_at, override.ends_at = starts_at or now, ends_at
        override.created_by = by.name
        override.full_clean()
        if ends_at and ends_at <= now:
            raise ValidationError({"ends_at": "This moment is past."})
        override.save(force_insert=True)
        lay_over(held, now)
        subscription.refresh_from_db(fields=["limit_overrides"])
        override._put_on_record(Action.LIMITS_OVERRIDDEN, by)
        return override


class Override(models.Model):
    """Limits laid over those of the plan while ``starts_at`` is past and ``ends_at`` is not.

    A limit of the plan is replaced, never taken away. Of those in effect the later one holds.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="overrides"
    )
    limits = models.JSONField(validators=[validate_limits])
    reason = models.CharField(max_length=300)
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)
    objects = OverrideQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]

    def __str__(self) -> str:
        return f"{self.subscription.account}: {self.reason}"

    def clean(self) -> None:
        if self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "It must end after it begins."})

    @property
    def in_words(self) -> str:
        """``requests per day 1,000, tokens per day 0``."""
        amounts = limits.parse(self.limits)
        return ", ".join(f"{one.name.replace('_', ' ')} {one.amount:,}" for one in amounts)

    def is_in_effect(self, now: datetime) -> bool:
        return self.starts_at <= now and not self.is_over(now)

    def is_over(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now

    @transaction.atomic
    def end(self, *, by: Actor) -> bool:
        """Let it hold no longer, or never where it was to begin later. False if it was over."""
        held = Subscription.objects.select_for_update().get(pk=self.subscription_id)
        now = clock.now()
        self.refresh_from_db()
        if self.is_over(now):
            return False
        self.ends_at = now
        self.save(update_fields=["ends_at"])
        lay_over(held, now)
        self._put_on_record(Action.LIMITS_OVERRIDE_ENDED, by)
        return True

    def _put_on_record(self, action: Action, by: Actor) -> None:
        until = written(self.ends_at) if self.ends_at else None
        said = {"reason": self.reason, "starts_at": written(self.starts_at), "ends_at": until}
        subscription = self.subscription
        about = subscription.plan.name
        audit.record(subscription.account, action, by=by, about=about, **said, **self.limits)


def in_effect(overrides: Iterable[Override], now: datetime) -> Amounts:
    """What these come to at a moment: the later ones laid over the earlier ones."""
    amounts: Amounts = {}
    for override in sorted(overrides, key=lambda one: (one.starts_at, one.pk)):
        if override.is_in_effect(now):
            amounts |= override.limits
    return amounts


def lay_over(held: Subscription, now: datetime) -> bool:
    """Have what is in effect ``now`` hold, for a row that is locked. False if it does already."""
    amounts = in_effect(held.overrides.all(), now)
    if amounts == held.limit_overrides:
        return False
    held.limit_overrides = amounts
    held.save(update_fields=["limit_overrides"])
    held.account.raise_epoch()
    return True


def apply(now: datetime | None = None) -> int:
    """Have what is in effect ``now`` hold for every account; how many that changed.

    What was missed is made good, and who comes second finds nothing to do. A subscription with
    which nothing was ever agreed is left as it is.
    """
    moment = now or clock.now()
    agreed = Subscription.objects.filter(pk__in=Override.objects.values("subscription"))
    differing = [
        subscription.pk
        for subscription in agreed.prefetch_related("overrides")
        if in_effect(subscription.overrides.all(), moment) != subscription.limit_overrides
    ]
    return sum(_apply(pk, now) for pk in differing)


@transaction.atomic
def _apply(pk: int, now: datetime | None) -> bool:
    """The time is asked for after the lock: who held it may have agreed on something since."""
    held = Subscription.objects.select_for_update().filter(pk=pk).first()
    return held is not None and lay_over(held, now or clock.now())
