"""``manage.py remove_second_factors E-MAIL``: for somebody who has lost theirs and all codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import second_factors
from accounts.audit import CONSOLE
from accounts.models import User


class Command(BaseCommand):
    help = "Take away the authenticator app, passkeys and recovery codes of a user, on record."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"There is no user {email}.")
        lost = second_factors.take_away(user, by=CONSOLE)
        if not lost:
            raise CommandError(f"{user.email} has no second factor.")
        self.stdout.write(
            f"Removed {lost} of {user.email}, and the recovery codes. They are signed out "
            "everywhere, and told by mail."
        )
