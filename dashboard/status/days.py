"""How everything fared, day by day: minutes for the parts that are watched, calls for models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from django.db import models, transaction
from django.db.models import F, Sum
from django.db.models.functions import TruncDate

from dashboard.status.parts import Kind, State
from usage.models import ModelHour

SHOWN = 90  # days
AGAIN = timedelta(days=1)  # calls that become known later than this change no history


class StatusDay(models.Model):
    """A UTC day of a part: minutes that it worked, or did not. Of a model: calls, likewise."""

    day = models.DateField()
    kind = models.CharField(max_length=5, choices=Kind)
    name = models.CharField(max_length=200)
    ok = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["kind", "name", "day"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "name", "day"], name="status_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.name}: {self.ok} ok, {self.failed} failed"


@transaction.atomic
def count_minute(now: datetime, states: Mapping[str, State]) -> None:
    """Count a minute of each part. One under maintenance, said before, is not counted."""
    for name, state in states.items():
        if state == State.MAINTENANCE:
            continue
        column = "failed" if state.is_bad else "ok"
        day, _ = StatusDay.objects.get_or_create(day=_day(now), kind=Kind.PART, name=name)
        StatusDay.objects.filter(pk=day.pk).update(**{column: F(column) + 1})


def sum_models(now: datetime) -> None:
    """Sum the calls of today and yesterday anew. Doing it twice changes nothing."""
    midnight = (now - AGAIN).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = ModelHour.objects.filter(hour__gte=midnight).order_by()
    by_day = hours.values("model", day=TruncDate("hour", tzinfo=UTC))
    StatusDay.objects.bulk_create(
        [
            StatusDay(
                kind=Kind.MODEL,
                name=row["model"],
                day=row["day"],
                ok=row["all_ok"],
                failed=row["all_failed"],
            )
            for row in by_day.annotate(all_ok=Sum("ok"), all_failed=Sum("failed"))
        ],
        update_conflicts=True,
        unique_fields=["kind", "name", "day"],
        update_fields=["ok", "failed"],
    )


def forget(now: datetime) -> None:
    StatusDay.objects.filter(day__lte=_day(now) - timedelta(days=SHOWN)).delete()


def days_until(now: datetime) -> list[date]:
    """The days that are shown, the oldest first and today last."""
    return [_day(now) - timedelta(days=back) for back in reversed(range(SHOWN))]


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
