"""Make the hourly rollups again from the request log."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from usage.rebuild import rebuild


class Command(BaseCommand):
    help = "Make the hourly rollups again from the request log, for the days that it still has."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "days", nargs="*", type=date.fromisoformat, help="UTC days; default all"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for day in rebuild(options["days"] or None):
            self.stdout.write(f"{day} rebuilt")
