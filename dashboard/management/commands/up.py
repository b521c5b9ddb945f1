"""``manage.py up``: everything of an instance on this host, until Ctrl-C. ``./start`` calls it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.embedded.children import Trouble
from dashboard.embedded.launch import Launch


class Command(BaseCommand):
    help = "Start the servers and the processes of this instance and keep them running."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        launch = Launch(self._say)
        try:
            launch.begin()
            self._say(launch.welcome())
            launch.run()
        except KeyboardInterrupt:
            self._say("Stopped.")
        except Trouble as trouble:
            raise CommandError(str(trouble)) from trouble
        finally:
            launch.end()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
