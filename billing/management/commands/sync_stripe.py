"""``manage.py sync_stripe``: have Stripe know the plans that are for sale, and what they cost."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import price_sync
from billing.stripe_api import StripeAway


class Command(BaseCommand):
    help = "Make products and prices at Stripe for the plans of the catalogue, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            said = price_sync.sync(dry=dry_run)
        except StripeAway as error:
            raise CommandError(str(error)) from error
        for line in said or ["Stripe knows every plan that is for sale."]:
            self.stdout.write(line)
