"""Keys that ended before anybody was told of such ends stay untold."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_told_of_ends")]
    operations = [
        migrations.RunSQL(
            "UPDATE accounts_apikey SET end_told_at = now() WHERE expires_at <= now()",
            migrations.RunSQL.noop,
        )
    ]
