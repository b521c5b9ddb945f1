"""The catalogue: which models can be called, and through whom."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Action, Actor


class Provider(models.Model):
    """Somebody who serves models. A ``base_url`` that begins with / is on this very server."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=50)
    base_url = models.CharField(max_length=200)
    credential_env = models.CharField(max_length=100, blank=True)
    deadlines = models.JSONField(default=dict, blank=True)  # gateway.dialects.Deadlines
    rules = models.JSONField(default=list, blank=True)  # gateway.dialects.Rule

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class LanguageModel(models.Model):
    """What a caller can name in ``model``, by its id or by any of its aliases.

    Prices are its maker's, in US dollars per million tokens. Without one it is unpriced, not free.
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

    class Meta:
        ordering = ["position", "model_id"]

    def __str__(self) -> str:
        return self.model_id


class ModelRoute(models.Model):
    """One way to reach a model; lower ``priority`` is tried first."""

    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="routes")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="routes")
    upstream_model = models.CharField(max_length=100)
    priority = models.PositiveSmallIntegerField(default=0)
    weight = models.PositiveSmallIntegerField(default=1)
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

    def switch_off(self, *, by: Actor) -> None:
        """Let no process ask this way, from half a second from now on."""
        self._switch(timezone.now(), Action.ROUTE_SWITCHED_OFF, by)

    def switch_on(self, *, by: Actor) -> None:
        self._switch(None, Action.ROUTE_SWITCHED_ON, by)

    @transaction.atomic
    def _switch(self, disabled_at: datetime | None, action: Action, by: Actor) -> None:
        self.disabled_at = disabled_at
        self.save(update_fields=["disabled_at"])
        CatalogVersion.rise()
        audit.record(None, action, by=by, about=str(self))


class CatalogVersion(models.Model):
    """One row; its number rises with every change, and gateways reload when they see that."""

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def rise(cls) -> None:
        """To be called in the transaction of the change."""
        version, _ = cls.objects.get_or_create(pk=1)
        cls.objects.filter(pk=version.pk).update(number=models.F("number") + 1)
