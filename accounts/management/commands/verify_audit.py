"""``manage.py verify_audit``: is the audit log what was written, all of it and nothing else?"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import Verification
from accounts.audit_watch import read_anchors, write_anchors


class Command(BaseCommand):
    help = "Verify the chains of the audit log; every flaw is a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", type=int, help="id of one account; all of them if absent")
        parser.add_argument(
            "--anchor",
            type=Path,
            metavar="FILE",
            help="compare with the ends of chains in this file, and write the present ones there "
            "if there is no flaw; keep it where nobody reaches who reaches the database",
        )

    def handle(self, *args: Any, account: int | None, anchor: Path | None, **options: Any) -> None:
        try:
            anchors = read_anchors(anchor) if anchor else {}
        except ValueError as error:
            raise CommandError(str(error)) from error
        walk, flaws = Verification(anchors), 0
        for flaw in walk.flaws(account):
            self.stdout.write(str(flaw))
            flaws += 1
        self.stdout.write(f"{walk.entries} entries in {len(walk.ends)} chains.")
        if flaws:
            raise CommandError(f"{flaws} flaws.")
        self.stdout.write("0 flaws.")
        if anchor:
            write_anchors(anchor, {**anchors, **walk.ends})
