"""``manage.py write_openapi``: the description of ``/v1`` as ``docs/openapi.json``."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand

from gateway.openapi import DOCUMENT


class Command(BaseCommand):
    help = "Write docs/openapi.json anew."

    def handle(self, *args: object, **options: object) -> None:
        path = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
        path.write_text(json.dumps(DOCUMENT, indent=1) + "\n")
        self.stdout.write(f"Wrote {path.name}.")
