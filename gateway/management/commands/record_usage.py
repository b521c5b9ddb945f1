"""``manage.py record_usage``: ship this host's usage journal to PostgreSQL until told to stop."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from gateway import counters
from usage.recorder import Recorder


class Command(BaseCommand):
    help = "Ship the usage journal to PostgreSQL. One per host; a second one waits."

    def handle(self, *args: Any, **options: Any) -> None:
        recorder = Recorder(settings.JOURNAL_DIR, settle=counters.settle)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: recorder.stop())
        recorder.run()
