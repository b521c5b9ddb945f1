"""Sums of end users by the day: over a month an account has millions of those by the hour."""

import django.db.models.deletion
from django.db import migrations, models

SUM_UP = """
INSERT INTO usage_enduserday (account_id, hour, name, requests, admitted, ok, client_errors,
    refused, upstream_errors, client_disconnects, interrupted, prompt_tokens, completion_tokens,
    generated_tokens, generation_ms)
SELECT account_id, date_trunc('day', hour, 'UTC'), name, sum(requests), sum(admitted), sum(ok),
    sum(client_errors), sum(refused), sum(upstream_errors), sum(client_disconnects),
    sum(interrupted), sum(prompt_tokens), sum(completion_tokens), sum(generated_tokens),
    sum(generation_ms)
FROM usage_enduserhour GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_key_limits'),
        ('usage', '0006_long_kept'),
    ]

    operations = [
        migrations.CreateModel(
            name='EndUserDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('requests', models.BigIntegerField(default=0)),
                ('admitted', models.BigIntegerField(default=0)),
                ('ok', models.BigIntegerField(default=0)),
                ('client_errors', models.BigIntegerField(default=0)),
                ('refused', models.BigIntegerField(default=0)),
                ('upstream_errors', models.BigIntegerField(default=0)),
                ('client_disconnects', models.BigIntegerField(default=0)),
                ('interrupted', models.BigIntegerField(default=0)),
                ('prompt_tokens', models.BigIntegerField(default=0)),
                ('completion_tokens', models.BigIntegerField(default=0)),
                ('generated_tokens', models.BigIntegerField(default=0)),
                ('generation_ms', models.BigIntegerField(default=0)),
                ('name', models.CharField(max_length=200)),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='%(class)ss', to='accounts.account')),
            ],
            options={
                'ordering': ['hour', 'account_id', 'name'],
                'constraints': [models.UniqueConstraint(fields=('account', 'hour', 'name'), name='end_user_day_once')],
            },
        ),
        migrations.RunSQL(SUM_UP, migrations.RunSQL.noop),
    ]
