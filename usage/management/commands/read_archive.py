"""Print what the archive has of an account."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from usage import archive
from usage.bucket import Bucket, BucketTrouble


class Command(BaseCommand):
    help = "Print the archived requests of an account, one JSON object a line, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", type=int, help="the number of the account")
        parser.add_argument("first", type=date.fromisoformat, help="a UTC day")
        parser.add_argument(
            "last", nargs="?", type=date.fromisoformat, help="through this day; default the first"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        bucket = Bucket.from_settings()
        if bucket is None:
            raise CommandError("There is no archive: KEYPLEX_ARCHIVE_BUCKET is not set.")
        day, last = options["first"], options["last"] or options["first"]
        try:
            while day <= last:
                for line in archive.read(bucket, options["account"], day):
                    self.stdout.write(line.decode())
                day += timedelta(days=1)
        except BucketTrouble as trouble:
            raise CommandError(str(trouble)) from trouble
