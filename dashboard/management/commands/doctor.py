"""``manage.py doctor``: look at everything an installation needs; exit code 1 if it is broken."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.doctor.examination import examine
from dashboard.log_lines import clean


class Command(BaseCommand):
    help = "Say what is wrong with this installation and what to do about it, a line for each."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="leave out what is fine")

    def handle(self, *args: Any, quiet: bool, **options: Any) -> None:
        number = 0
        for finding in examine():
            number += finding.state == "broken"
            if finding.state != "fine" or not quiet:
                self.stdout.write(clean(str(finding)))
                self.stdout.flush()
        if number:
            raise CommandError(f"Broken: {number}.", returncode=1)
