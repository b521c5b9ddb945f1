"""To whom an event goes, and how each try went."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from webhooks.endpoints import Endpoint


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> DeliveryQuerySet:
        """What should be sent now, the longest due first."""
        waiting = self.filter(status=Delivery.Status.PENDING, next_attempt_at__lte=timezone.now())
        return waiting.order_by("next_attempt_at", "pk")

    def send_again(self) -> int:
        """Due at once, all of these, with all their attempts still to come; how many they are."""
        return self.exclude(claimed_until__gt=timezone.now()).update(
            status=Delivery.Status.PENDING, next_attempt_at=timezone.now(), attempts_made=0
        )


class Delivery(models.Model):
    """An event on its way to an endpoint.

    A worker that sends it holds it until ``claimed_until``, and by then it is due again: what a
    worker was sending when it died is sent once more.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "On its way"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    event = models.ForeignKey("webhooks.Event", on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="delivery_once"),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(status="pending"),
                name="delivery_due",
            ),
            models.Index(fields=["endpoint", "-id"], name="delivery_newest"),
            models.Index(
                fields=["finished_at"], condition=Q(status="failed"), name="delivery_given_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"


class Attempt(models.Model):
    """One try: what the receiver answered, or why there was no answer."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    ended_at = models.DateTimeField(default=timezone.now)
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True)
    excerpt = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["ended_at"], name="attempt_newest")]

    def __str__(self) -> str:
        return f"{self.number}: {self.status_code or self.error}"

    @property
    def tone(self) -> str:
        return "ok" if self.status_code and 200 <= self.status_code < 300 else "bad"
