"""Find what failed, and what one end user sent, without reading what went well.

Both leave most rows out, so that a row that is in neither costs no writing.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial")]

    operations = [
        migrations.AddIndex(
            "requestlog",
            models.Index(
                fields=["account", "-started_at", "-request_id"],
                name="requestlog_failed",
                condition=~models.Q(outcome="ok"),
            ),
        ),
        migrations.AddIndex(
            "requestlog",
            models.Index(
                fields=["account", "end_user", "-started_at", "-request_id"],
                name="requestlog_end_user",
                condition=~models.Q(end_user=""),
            ),
        ),
    ]
