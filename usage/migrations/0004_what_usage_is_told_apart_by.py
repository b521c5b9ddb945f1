"""Rollups tell endpoints, end users and errors apart, and how fast answers were generated.

What was counted before has no endpoint; ``rebuild_rollups`` finds it for the days still in the log.
"""

import django.db.models.deletion
from django.db import migrations, models


SUM_HISTOGRAMS = """
CREATE AGGREGATE usage_sum_histograms(bigint[]) (
    SFUNC = usage_add_histograms, STYPE = bigint[], INITCOND = '{}', PARALLEL = SAFE
);
"""

# Going back, endpoints become one again; nothing is lost but their names.
MERGE_ENDPOINTS = """
CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
SELECT account_id, hour, api_key_id, model, sum(requests) AS requests, sum(admitted) AS admitted,
    sum(ok) AS ok, sum(client_errors) AS client_errors, sum(refused) AS refused,
    sum(upstream_errors) AS upstream_errors, sum(client_disconnects) AS client_disconnects,
    sum(interrupted) AS interrupted, sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    usage_sum_histograms(latency_histogram) AS latency_histogram,
    usage_sum_histograms(ttft_histogram) AS ttft_histogram
FROM usage_usagehour GROUP BY account_id, hour, api_key_id, model;
DELETE FROM usage_usagehour;
INSERT INTO usage_usagehour (account_id, hour, api_key_id, model, endpoint, requests, admitted, ok,
    client_errors, refused, upstream_errors, client_disconnects, interrupted, prompt_tokens,
    completion_tokens, generated_tokens, generation_ms, latency_histogram, ttft_histogram)
SELECT account_id, hour, api_key_id, model, '', requests, admitted, ok, client_errors, refused,
    upstream_errors, client_disconnects, interrupted, prompt_tokens, completion_tokens, 0, 0,
    latency_histogram, ttft_histogram
FROM merged;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_key_limits'),
        ('usage', '0003_payloads'),
    ]

    operations = [
        migrations.RunSQL(SUM_HISTOGRAMS, 'DROP AGGREGATE usage_sum_histograms(bigint[])'),
        migrations.CreateModel(
            name='EndUserHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('model', models.CharField(max_length=200)),
                ('endpoint', models.CharField(default='', max_length=40)),
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
            ],
            options={
                'ordering': ['hour', 'account_id', 'name', 'api_key_id', 'model', 'endpoint'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ErrorHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('model', models.CharField(max_length=200)),
                ('endpoint', models.CharField(default='', max_length=40)),
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
            ],
            options={
                'ordering': ['hour', 'account_id', 'name', 'api_key_id', 'model', 'endpoint'],
                'abstract': False,
            },
        ),
        migrations.AlterModelOptions(
            name='usagehour',
            options={'ordering': ['hour', 'account_id', 'api_key_id', 'model', 'endpoint']},
        ),
        migrations.RemoveConstraint(
            model_name='usagehour',
            name='usage_hour_once',
        ),
        migrations.AddField(
            model_name='usagehour',
            name='endpoint',
            field=models.CharField(default='', max_length=40),
        ),
        migrations.AddField(
            model_name='usagehour',
            name='generated_tokens',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='usagehour',
            name='generation_ms',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='usagehour',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='%(class)ss', to='accounts.account'),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, MERGE_ENDPOINTS),
        migrations.AddConstraint(
            model_name='usagehour',
            constraint=models.UniqueConstraint(fields=('account', 'hour', 'api_key', 'model', 'endpoint'), name='usage_hour_once'),
        ),
        migrations.AddField(
            model_name='enduserhour',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='%(class)ss', to='accounts.account'),
        ),
        migrations.AddField(
            model_name='enduserhour',
            name='api_key',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.apikey'),
        ),
        migrations.AddField(
            model_name='errorhour',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='%(class)ss', to='accounts.account'),
        ),
        migrations.AddField(
            model_name='errorhour',
            name='api_key',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.apikey'),
        ),
        migrations.AddConstraint(
            model_name='enduserhour',
            constraint=models.UniqueConstraint(fields=('account', 'hour', 'name', 'api_key', 'model', 'endpoint'), name='end_user_hour_once'),
        ),
        migrations.AddConstraint(
            model_name='errorhour',
            constraint=models.UniqueConstraint(fields=('account', 'hour', 'name', 'api_key', 'model', 'endpoint'), name='error_hour_once'),
        ),
    ]
