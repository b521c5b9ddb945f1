"""Who switched a feature off and why, and since when; what the features are: accounts/features."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts.audit import Action, Actor, record
from accounts.features import FEATURES, OFF, Feature


class SwitchQuerySet(models.QuerySet["Switch"]):
    def off(self) -> SwitchQuerySet:
        return self.filter(off_at__isnull=False)

    @transaction.atomic
    def turn_off(self, feature: Feature, *, reason: str, by: Actor, words: str = "") -> Switch:
        """Switch it off, everywhere within seconds of ``renew``. Raises ValidationError."""
        switch = self._locked(feature)
        if switch.off_at:
            raise ValidationError(f"{feature} is switched off already.")
        switch.off_at, switch.off_by = timezone.now(), by.name
        switch.reason, switch.words = reason, words
        switch.save()
        record(None, Action.FEATURE_SWITCHED_OFF, by=by, about=feature.title, reason=reason)
        return switch

    @transaction.atomic
    def turn_on(self, feature: Feature, *, reason: str, by: Actor) -> None:
        """Switch it on again. Raises ValidationError."""
        switch = self._locked(feature)
        if not switch.off_at:
            raise ValidationError(f"{feature} is not switched off.")
        switch.off_at, switch.off_by, switch.reason, switch.words = None, "", "", ""
        switch.save()
        record(None, Action.FEATURE_SWITCHED_ON, by=by, about=feature.title, reason=reason)

    def _locked(self, feature: Feature) -> Switch:
        self.get_or_create(name=feature.name)
        return self.select_for_update().get(name=feature.name)


class Switch(models.Model):
    """A feature that was switched off at least once; whoever has none is on."""

    name = models.CharField(max_length=40, unique=True)  # of a Feature
    off_at = models.DateTimeField(null=True)
    off_by = models.CharField(max_length=254, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    words = models.CharField(max_length=300, blank=True)  # for people; empty: the feature's own

    objects = SwitchQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "switches"

    def __str__(self) -> str:
        return FEATURES[self.name].title if self.name in FEATURES else self.name


def renew() -> None:
    """Let every process know what is off now."""
    OFF.put({switch.name: switch.words for switch in Switch.objects.off()})
