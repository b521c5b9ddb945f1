"""Accounts as Stripe knows them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing import money


class CustomerQuerySet(models.QuerySet["Customer"]):
    def ours(self) -> CustomerQuerySet:
        """Those that are still known to the Stripe with which we speak."""
        return self.filter(mode=settings.STRIPE.mode, gone_at=None)


class Customer(models.Model):
    """An account at one Stripe. ``version`` rises with every reading that was taken over.

    One that was deleted there is gone for good; who buys again is another customer. A ``balance``
    below zero is credit, which Stripe takes off what is to be paid next.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="stripe_customers"
    )
    mode = models.CharField(max_length=10)
    stripe_id = models.CharField(max_length=100, unique=True)
    balance = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)  # that they pay in, once they do
    version = models.PositiveBigIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "mode"],
                condition=models.Q(gone_at=None),
                name="customer_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} is {self.stripe_id}"

    @property
    def credit(self) -> int:
        return max(0, -self.balance)

    @property
    def credit_in_words(self) -> str:
        return money.written(self.credit, self.currency)
