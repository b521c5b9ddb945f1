"""The key as which an account's playground calls."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_people'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='playground',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.UniqueConstraint(condition=models.Q(('playground', True), ('revoked_at', None)), fields=('account',), name='playground_once'),
        ),
    ]
