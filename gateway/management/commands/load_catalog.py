"""``manage.py load_catalog FILE``: make plans, providers, models and routes what the file says."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway import catalog_file


class Command(BaseCommand):
    help = "Load a catalogue file and say what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            changes = catalog_file.load(catalog_file.read(file))
        except ValueError as error:
            raise CommandError(str(error)) from error
        for change in changes:
            self.stdout.write(change)
        self.stdout.write(f"{len(changes)} changes." if changes else "Nothing changed.")
