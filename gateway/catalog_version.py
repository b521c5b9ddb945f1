"""By what gateways know that the catalogue has changed."""

from __future__ import annotations

from django.db import models


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
