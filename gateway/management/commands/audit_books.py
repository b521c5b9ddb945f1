"""``manage.py audit_books``: do journal, log, rollups and counters agree?"""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway import counters
from usage.audit import audit


class Command(BaseCommand):
    help = "Compare journal, request log, rollups and counters; every difference is a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", type=int, help="id of one account; all of them if absent")
        parser.add_argument(
            "--patience",
            type=float,
            default=10.0,
            metavar="SECONDS",
            help="how long the recorder may take to catch up before a difference is one (10)",
        )

    def handle(self, *args: Any, account: int | None, patience: float, **options: Any) -> None:
        differences = self.settled(account, time.monotonic() + patience)
        for difference in differences:
            self.stdout.write(difference)
        if differences:
            raise CommandError(f"{len(differences)} differences.")
        self.stdout.write("0 differences.")

    def settled(self, account: int | None, deadline: float) -> list[str]:
        """What still differs at the ``deadline``: what is on its way gets there before."""
        while True:
            found = audit(settings.JOURNAL_DIR, account=account, counters=counters.tokens_on)
            if not found or time.monotonic() >= deadline:
                return found
            time.sleep(0.5)
