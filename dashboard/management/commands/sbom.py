"""``manage.py sbom``: every package that runs here, as CycloneDX 1.6 in JSON."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from dashboard.instance import ROOT

LOCK = ROOT / "requirements.lock"
PINNED = re.compile(r"^([a-z0-9-]+)==([\w.]+)")


class Command(BaseCommand):
    help = "Print the packages of requirements.lock, with versions and hashes, as CycloneDX."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """The same lock makes the same list, so that two of them can be compared."""
        bill = {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": {"type": "application", "name": "keyplex"}},
            "components": list(components(LOCK)),
        }
        self.stdout.write(json.dumps(bill, indent=2))


def components(lock: Path) -> Iterator[dict[str, Any]]:
    """A package each; the hashes are those of the files that may be installed of it."""
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        pinned = PINNED.match(entry)
        if pinned:
            name, version = pinned.groups()
            address = f"pkg:pypi/{name}@{version}"
            digests = re.findall(r"--hash=sha256:(\w+)", entry)
            yield {
                "type": "library",
                "bom-ref": address,
                "name": name,
                "version": version,
                "purl": address,
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in digests],
            }
