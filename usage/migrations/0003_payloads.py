"""What is captured of requests, by the day on which it is forgotten."""

from django.db import migrations, models

PAYLOAD = """
CREATE TABLE usage_payload (
    request_id varchar(40) NOT NULL,
    forget_on date NOT NULL,
    account_id bigint NOT NULL,
    api_key_id bigint NOT NULL,
    request text NOT NULL,
    response text NOT NULL,
    request_bytes bigint NOT NULL,
    response_bytes bigint NOT NULL,
    PRIMARY KEY (request_id, forget_on)
) PARTITION BY RANGE (forget_on);
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0002_log_indexes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(PAYLOAD, "DROP TABLE usage_payload")],
            state_operations=[
                migrations.CreateModel(
                    name="Payload",
                    fields=[
                        ("request_id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ("forget_on", models.DateField()),
                        ("account_id", models.BigIntegerField()),
                        ("api_key_id", models.BigIntegerField()),
                        ("request", models.TextField()),
                        ("response", models.TextField()),
                        ("request_bytes", models.BigIntegerField()),
                        ("response_bytes", models.BigIntegerField()),
                    ],
                    options={"ordering": ["request_id"]},
                ),
            ],
        ),
    ]
