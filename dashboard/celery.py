"""The Celery application; ``celery -A dashboard worker`` finds it here."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("keyplex")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
