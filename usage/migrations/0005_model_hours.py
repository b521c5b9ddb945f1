"""How each model fares, hour by hour, for everybody together."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0004_what_usage_is_told_apart_by'),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('model', models.CharField(max_length=200)),
                ('ok', models.BigIntegerField(default=0)),
                ('failed', models.BigIntegerField(default=0)),
                ('latency_histogram', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('ttft_histogram', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
            ],
            options={
                'ordering': ['hour', 'model'],
                'constraints': [models.UniqueConstraint(fields=('hour', 'model'), name='model_hour_once')],
            },
        ),
        migrations.AddIndex(
            model_name='usagehour',
            index=models.Index(fields=['hour'], name='usage_hour_of_everybody'),
        ),
    ]
