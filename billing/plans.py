"""The plans on offer: what each allows, and what it costs."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from billing import limits, money


def validate_limits(amounts: dict[str, int]) -> None:
    try:
        limits.parse(amounts)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class PlanQuerySet(models.QuerySet["Plan"]):
    def on_offer(self) -> PlanQuerySet:
        return self.filter(retired_at=None)

    def first_on_offer(self) -> Plan:
        """What newcomers get. Raises ``Plan.DoesNotExist`` where nothing is on offer."""
        return self.on_offer().earliest("position", "pk")

    def for_sale(self) -> PlanQuerySet:
        """Those that have a price. A plan without one is agreed on with an operator."""
        return self.on_offer().filter(unit_amount__gt=0, interval_months__gt=0)

    def free_for_good(self) -> Plan | None:
        """What is left to an account whose plan has ended, where there is such a plan."""
        return self.on_offer().filter(interval_months=0, trial=False).first()


class Plan(models.Model):
    """An offer of the catalogue. ``interval_months`` is 0 where nothing is ever charged.

    ``unit_amount`` is what an interval costs, in the smallest unit of ``currency``; None where
    that is not said in public. A trial without ``trial_days`` has no end. A plan of a higher
    ``position`` is the greater one: changing to it is an upgrade.
    """

    class RetentionClass(models.TextChoices):
        STANDARD = "standard", "30 days"
        EXTENDED = "extended", "Extended"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=50)
    position = models.PositiveSmallIntegerField(default=0)
    interval_months = models.PositiveSmallIntegerField(default=0)
    unit_amount = models.PositiveIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="usd")
    limits = models.JSONField(default=dict, blank=True, validators=[validate_limits])
    retention_class = models.CharField(
        max_length=10, choices=RetentionClass, default=RetentionClass.STANDARD
    )
    trial = models.BooleanField(default=False)
    trial_days = models.PositiveSmallIntegerField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def hard_limits(self) -> dict[str, int]:
        return {name: amount for name, amount in self.limits.items() if name in limits.NAMES}

    @property
    def terms(self) -> tuple[int | None, str, int]:
        """What is to be paid, in what, and for how many months; as ``Price.terms`` says it."""
        return self.unit_amount, self.currency, self.interval_months

    @property
    def is_for_sale(self) -> bool:
        return bool(self.unit_amount and self.interval_months and not self.retired_at)

    @property
    def price_in_words(self) -> str:
        """What an interval costs; empty where that is not said."""
        if not self.unit_amount:
            return ""
        return money.written(self.unit_amount, self.currency)

    @property
    def interval_in_words(self) -> str:
        """How often that is: ``month``, ``3 months``, ``year``."""
        return {1: "month", 12: "year"}.get(self.interval_months, f"{self.interval_months} months")
