"""Limits that were agreed before there were overrides become one, so that they go on holding."""

from django.db import migrations
from django.utils import timezone


def write_them_down(apps, schema_editor):
    Override = apps.get_model("billing", "Override")
    Subscription = apps.get_model("billing", "Subscription")
    agreed = Subscription.objects.exclude(limit_overrides={}).filter(overrides=None)
    for subscription in agreed:
        Override.objects.create(
            subscription=subscription,
            limits=subscription.limit_overrides,
            reason="agreed before",
            starts_at=min(subscription.started_at, timezone.now()),
            created_by="system",
        )


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0004_money"),
    ]

    operations = [
        # Back: the limits stay where they were; the overrides go with their table.
        migrations.RunPython(write_them_down, migrations.RunPython.noop),
    ]
