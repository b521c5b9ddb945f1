"""``manage.py audit_books``: do journal, log, rollups and counters agree?"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway import counters
from usage.audit import audit


class Command(BaseCommand):
    help = "Compare journal, request log, rollups and counters; every difference is a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", type=int, help="id of one account; all of them if absent")

    def handle(self, *args: Any, account: int | None, **options: Any) -> None:
        differences = audit(settings.JOURNAL_DIR, account=account, counters=counters.tokens_on)
        for difference in differences:
            self.stdout.write(difference)
        if differences:
            raise CommandError(f"{len(differences)} differences.")
        self.stdout.write("0 differences.")
