"""``manage.py run NAME``: a process of this host, for a service manager to keep running."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.embedded.supervisor import Process, processes
from dashboard.instance import ROOT


class Command(BaseCommand):
    help = "Become one of the processes that ./start would run, in the foreground."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=list(ours()))

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        """Does not return: signals and the exit code are those of the process itself."""
        if name == "web" and not settings.STATIC_ROOT.is_dir():
            raise CommandError(f"{settings.STATIC_ROOT} is missing. Run manage.py collectstatic.")
        os.chdir(ROOT)
        command = ours()[name].command
        os.execv(command[0], command)  # noqa: S606  # words of our own, and no shell


def ours() -> dict[str, Process]:
    """What there is to run on a host, by name."""
    data, host, port = settings.INSTANCE.data, settings.HOST, settings.PORT
    started = processes(data, host=host, port=port, workers=settings.WORKERS)
    return {process.name: process for process in started}
