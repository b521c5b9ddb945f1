"""Which accounts have rows that are kept longer than usual."""

from django.db import migrations, models

NOTE = """
INSERT INTO usage_longkept (account_id) SELECT DISTINCT account_id FROM usage_requestlog_extended
"""


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0005_model_hours'),
    ]

    operations = [
        migrations.CreateModel(
            name='LongKept',
            fields=[
                ('account_id', models.BigIntegerField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.RunSQL(NOTE, migrations.RunSQL.noop),
    ]
