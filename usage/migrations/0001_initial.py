"""The request log, partitioned from the first day, and the hourly rollups."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from usage import partitions

REQUEST_LOG = """
CREATE TABLE usage_requestlog (
    request_id varchar(40) NOT NULL,
    day date NOT NULL,
    retention_class varchar(10) NOT NULL,
    account_id bigint NOT NULL,
    api_key_id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    endpoint varchar(40) NOT NULL,
    requested_model varchar(200) NOT NULL,
    model varchar(200) NOT NULL,
    provider varchar(100) NOT NULL,
    status_code smallint NOT NULL,
    outcome varchar(20) NOT NULL,
    error_type varchar(100) NOT NULL,
    error_code varchar(100) NOT NULL,
    error_message varchar(2000) NOT NULL,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    usage_source varchar(10) NOT NULL,
    latency_ms integer NOT NULL,
    ttft_ms integer,
    streamed boolean NOT NULL,
    ip varchar(45) NOT NULL,
    user_agent varchar(300) NOT NULL,
    end_user varchar(200) NOT NULL,
    attempts smallint NOT NULL,
    admitted boolean NOT NULL,
    decision jsonb NOT NULL,
    PRIMARY KEY (request_id, day, retention_class)
) PARTITION BY LIST (retention_class);
CREATE INDEX requestlog_newest ON usage_requestlog (account_id, started_at DESC, request_id DESC);
CREATE TABLE usage_requestlog_standard PARTITION OF usage_requestlog
    FOR VALUES IN ('standard') PARTITION BY RANGE (day);
CREATE TABLE usage_requestlog_extended PARTITION OF usage_requestlog
    FOR VALUES IN ('extended') PARTITION BY RANGE (day);
"""

ADD_HISTOGRAMS = """
CREATE FUNCTION usage_add_histograms(one bigint[], other bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF cardinality(one) < cardinality(other) THEN
        RETURN usage_add_histograms(other, one);
    END IF;
    FOR i IN 1..cardinality(other) LOOP
        IF other[i] <> 0 THEN
            one[i] := one[i] + other[i];
        END IF;
    END LOOP;
    RETURN one;
END
$$;
"""


def create_ahead(apps, schema_editor):
    partitions.create_ahead()


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(REQUEST_LOG, 'DROP TABLE usage_requestlog'),
                migrations.RunPython(create_ahead, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='RequestLog',
                    fields=[
                        ('request_id', models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('retention_class', models.CharField(max_length=10)),
                        ('started_at', models.DateTimeField()),
                        ('endpoint', models.CharField(max_length=40)),
                        ('requested_model', models.CharField(max_length=200)),
                        ('model', models.CharField(max_length=200)),
                        ('provider', models.CharField(max_length=100)),
                        ('status_code', models.SmallIntegerField()),
                        ('outcome', models.CharField(choices=[('ok', 'Ok'), ('client_error', 'Client Error'), ('refused', 'Refused'), ('upstream_error', 'Upstream Error'), ('client_disconnect', 'Client Disconnect'), ('interrupted', 'Interrupted')], max_length=20)),
                        ('error_type', models.CharField(max_length=100)),
                        ('error_code', models.CharField(max_length=100)),
                        ('error_message', models.CharField(max_length=2000)),
                        ('prompt_tokens', models.BigIntegerField()),
                        ('completion_tokens', models.BigIntegerField()),
                        ('usage_source', models.CharField(max_length=10)),
                        ('latency_ms', models.IntegerField()),
                        ('ttft_ms', models.IntegerField(null=True)),
                        ('streamed', models.BooleanField()),
                        ('ip', models.CharField(max_length=45)),
                        ('user_agent', models.CharField(max_length=300)),
                        ('end_user', models.CharField(max_length=200)),
                        ('attempts', models.SmallIntegerField()),
                        ('admitted', models.BooleanField()),
                        ('decision', models.JSONField(default=dict)),
                        ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='request_logs', to='accounts.account')),
                        ('api_key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.apikey')),
                    ],
                    options={
                        'ordering': ['-started_at', '-request_id'],
                        'indexes': [models.Index(fields=['account', '-started_at', '-request_id'], name='requestlog_newest')],
                    },
                ),
            ],
        ),
        migrations.RunSQL(ADD_HISTOGRAMS, 'DROP FUNCTION usage_add_histograms'),
        migrations.CreateModel(
            name='UsageHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('model', models.CharField(max_length=200)),
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
                ('latency_histogram', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('ttft_histogram', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='usage_hours', to='accounts.account')),
                ('api_key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.apikey')),
            ],
            options={
                "ordering": ["hour", "account_id", "api_key_id", "model"],
                'constraints': [models.UniqueConstraint(fields=('account', 'hour', 'api_key', 'model'), name='usage_hour_once')],
            },
        ),
    ]
