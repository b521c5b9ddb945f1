"""What we offered to whom at which price, before Stripe says that it was paid."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from billing.customers import Customer
from billing.prices import Price


class Checkout(models.Model):
    """One offer. An account has at most one that can be paid, so that nobody pays twice."""

    class State(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        CLOSED = "closed"  # nobody can pay it any more
        REFUSED = "refused"  # what was paid is not what we offered

    token = models.UUIDField(default=uuid.uuid4, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="checkouts")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="checkouts")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    stripe_id = models.CharField(max_length=100, null=True, unique=True)  # noqa: DJ001, null: not yet
    subscription = models.CharField(max_length=100, blank=True)  # that came of it
    refused_because = models.CharField(max_length=200, blank=True)
    user_id = models.BigIntegerField(null=True)  # who asked for it
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(state="open"), name="checkout_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer.account}: {self.price.plan}, {self.state}"

    def show(self, stripe_id: str) -> bool:
        """Stripe has a page for it. False if it was closed meanwhile, and nobody may see that."""
        still = Checkout.objects.filter(pk=self.pk, state=self.State.OPEN)
        return bool(still.update(stripe_id=stripe_id))

    def close_unseen(self) -> bool:
        """Nobody can pay it. False if there is a page for it by now."""
        unseen = Checkout.objects.filter(pk=self.pk, state=self.State.OPEN, stripe_id=None)
        return bool(unseen.update(state=self.State.CLOSED, finished_at=timezone.now()))

    def finish(self, state: str, *, subscription: str = "", because: str = "") -> None:
        self.state, self.subscription = self.State(state), subscription
        self.refused_because, self.finished_at = because[:200], timezone.now()
        self.save(update_fields=["state", "subscription", "refused_because", "finished_at"])
