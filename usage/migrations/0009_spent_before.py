"""What accounts had spent in each day before these totals were kept."""

from django.db import migrations

SUM_UP = """
INSERT INTO usage_accountday (account_id, day, requests, tokens)
SELECT account_id, (hour AT TIME ZONE 'UTC')::date, sum(admitted),
    sum(prompt_tokens + completion_tokens)
FROM usage_usagehour GROUP BY 1, 2 ORDER BY 2, 1
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0008_spent_and_told")]
    operations = [migrations.RunSQL(SUM_UP, migrations.RunSQL.noop)]
