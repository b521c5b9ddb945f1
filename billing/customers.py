"""Accounts as Stripe knows them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class CustomerQuerySet(models.QuerySet["Customer"]):
    def ours(self) -> CustomerQuerySet:
        """Those that are still known to the Stripe with which we speak."""
        return self.filter(mode=settings.STRIPE.mode, gone_at=None)


class Customer(models.Model):
    """An account at one Stripe. ``version`` rises with every reading that was taken over.

    One that was deleted there is gone for good; who buys again is another customer.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="stripe_customers"
    )
    mode = models.CharField(max_length=10)
    stripe_id = models.CharField(max_length=100, unique=True)
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
