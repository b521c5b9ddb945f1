"""``manage.py load_catalog FILE``: make plans, providers, models and routes what the file says."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway import catalog_file


class Command(BaseCommand):
    help = "Load a catalogue file and say what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            catalog = catalog_file.read(file)
        except ValueError as error:
            raise CommandError(str(error)) from error
        changes = catalog_file.load(catalog)
        for change in changes:
            self.stdout.write(change)
        self.stdout.write(f"{len(changes)} changes." if changes else "Nothing changed.")
        if catalog.product not in (None, settings.PRODUCT):
            self.stderr.write(
                f"Name, prefix of keys and address are still those of {settings.PRODUCT.name} "
                f"until everything is started with KEYPLEX_CATALOG={file}."
            )
