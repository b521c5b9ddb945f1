"""The prices of our plans as Stripe knows them. A price never changes: another one follows it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing import money
from billing.plans import Plan


class PriceQuerySet(models.QuerySet["Price"]):
    def ours(self) -> PriceQuerySet:
        """Those of the Stripe that we speak with; another one knows nothing of them."""
        return self.filter(mode=settings.STRIPE.mode)

    def current(self, plan: Plan) -> Price | None:
        """What ``plan`` costs who buys it now; None if nobody can."""
        return self.ours().filter(plan=plan, retired_at=None).first()


class Price(models.Model):
    """What Stripe charges for a plan. Who bought at a retired price goes on paying it."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    mode = models.CharField(max_length=10)  # simulated, test, live
    stripe_id = models.CharField(max_length=100, unique=True)
    unit_amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    interval_months = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)
    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "mode"],
                condition=models.Q(retired_at=None),
                name="price_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {self.in_words}"

    @property
    def in_words(self) -> str:
        return money.written(self.unit_amount, self.currency)

    @property
    def terms(self) -> tuple[int, str, int]:
        return self.unit_amount, self.currency, self.interval_months

    def retire(self) -> None:
        self.retired_at = timezone.now()
        self.save(update_fields=["retired_at"])
