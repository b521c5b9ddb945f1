"""The catalogue: which models can be called, and through whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Action, Actor
from gateway.catalog_version import CatalogVersion
from gateway.providers import Provider

GREATEST = 1000  # weight or priority
__all__ = ["CatalogVersion", "LanguageModel", "ModelRoute", "Provider"]


class LanguageModel(models.Model):
    """What a caller can name in ``model``, by its id or by any of its aliases.

    Prices are its maker's, in US dollars per million tokens. Without one it is unpriced, not free.
    ``disabled_at`` is set where nobody can call it, ``switched_off_at`` too where an operator
    wanted that; else it is gone from the catalogue file.
    """

    class Kind(models.TextChoices):
        CHAT = "chat"
        COMPLETION = "completion"
        EMBEDDING = "embedding"

    model_id = models.CharField(max_length=100, unique=True)
    aliases = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    owned_by = models.CharField(max_length=50)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CHAT)
    context_window = models.PositiveIntegerField(null=True, blank=True)
    max_output_tokens = models.PositiveIntegerField(default=4096)
    dimensions = models.PositiveIntegerField(null=True, blank=True)
    best_for = models.CharField(max_length=200, blank=True)
    input_price = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    output_price = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    parameters = models.JSONField(default=dict, blank=True)  # sent where a caller sets none
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    switched_off_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "model_id"]

    def __str__(self) -> str:
        return self.model_id

    def switch_off(self, *, by: Actor) -> None:
        """Let nobody call it, from half a second from now on; whoever does hears: no such model."""
        self._switch(timezone.now(), Action.MODEL_SWITCHED_OFF, by)

    def switch_on(self, *, by: Actor) -> None:
        """The opposite; the next load of a file in which it is not disables it again."""
        self._switch(None, Action.MODEL_SWITCHED_ON, by)

    @transaction.atomic
    def _switch(self, at: datetime | None, action: Action, by: Actor) -> None:
        self.disabled_at = self.switched_off_at = at
        self.save(update_fields=["disabled_at", "switched_off_at"])
        CatalogVersion.rise()
        audit.record(None, action, by=by, about=self.model_id)


class ModelRoute(models.Model):
    """One way to reach a model; lower ``priority`` is tried first.

    ``priority`` and ``weight`` are those of the catalogue file. What an operator sets by hand
    stands beside them and holds instead, whatever is loaded.
    """

    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="routes")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="routes")
    upstream_model = models.CharField(max_length=100)
    priority = models.PositiveSmallIntegerField(default=0)
    priority_by_hand = models.PositiveSmallIntegerField(null=True, blank=True)
    weight = models.PositiveSmallIntegerField(default=1)
    weight_by_hand = models.PositiveSmallIntegerField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["priority", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "provider", "upstream_model"], name="route_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} → {self.provider}: {self.upstream_model}"

    @property
    def priority_now(self) -> int:
        return self.priority if self.priority_by_hand is None else self.priority_by_hand

    @property
    def weight_now(self) -> int:
        return self.weight if self.weight_by_hand is None else self.weight_by_hand

    @property
    def why_closed(self) -> str:
        """Why no call begins this way; nothing where calls do."""
        if self.provider.switched_off_at:
            return "provider switched off"
        if self.disabled_at:
            return "switched off"
        return "drained" if self.provider.drained_at else ""

    def switch_off(self, *, by: Actor) -> None:
        """Let no process ask this way, from half a second from now on."""
        self._change({"disabled_at": timezone.now()}, Action.ROUTE_SWITCHED_OFF, by)

    def switch_on(self, *, by: Actor) -> None:
        self._change({"disabled_at": None}, Action.ROUTE_SWITCHED_ON, by)

    def set_weight(self, weight: int | None, *, by: Actor) -> None:
        """Its share among the routes of its priority; None for the file's. Raises ValidationError.

        0 is for when all others have failed.
        """
        self._change({"weight_by_hand": checked_number(weight)}, Action.ROUTE_CHANGED, by)

    def set_priority(self, priority: int | None, *, by: Actor) -> None:
        """When it is tried; None for what the file says. Raises ValidationError."""
        self._change({"priority_by_hand": checked_number(priority)}, Action.ROUTE_CHANGED, by)

    @transaction.atomic
    def _change(self, fields: dict[str, Any], action: Action, by: Actor) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        self.save(update_fields=list(fields))
        CatalogVersion.rise()
        numbers = fields if action == Action.ROUTE_CHANGED else {}
        audit.record(None, action, by=by, about=str(self), **numbers)


def checked_number(number: int | None) -> int | None:
    """Raises ValidationError unless it is from 0 to ``GREATEST``, or None."""
    if number is not None and not 0 <= number <= GREATEST:
        raise ValidationError(f"Choose a whole number from 0 to {GREATEST:,}.")
    return number
