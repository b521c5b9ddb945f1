"""``manage.py issue_key --email E --name N``: a key on stdout, and nothing else there."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts.audit import CONSOLE
from accounts.models import APIKey, User
from accounts.scopes import Scope
from billing.models import Plan, Subscription
from dashboard.signup import open_account


class Command(BaseCommand):
    help = "Issue an API key and print it; the account is created when the e-mail is new."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--scope", action="append", choices=Scope.values, dest="scopes")
        parser.add_argument("--plan", help="slug of a plan; a new account gets the first one")

    @transaction.atomic
    def handle(
        self,
        *args: Any,
        email: str,
        name: str,
        scopes: list[str] | None,
        plan: str | None,
        **options: Any,
    ) -> None:
        try:
            validate_email(email)
            user = User.objects.filter(email=email.lower()).first()
            if user is None:
                user = User.objects.create_user(email)
                account = open_account(user, vouched_for_by=CONSOLE)
            else:
                account = user.accounts.first() or open_account(user, vouched_for_by=CONSOLE)
            if plan:
                Subscription.objects.start(account, Plan.objects.get(slug=plan), by=CONSOLE)
        except Plan.DoesNotExist:
            known = ", ".join(Plan.objects.on_offer().values_list("slug", flat=True))
            wanted = f"no plan {plan!r}" if plan else "no plan on offer"
            raise CommandError(f"There is {wanted}; known: {known or 'none'}.") from None
        except ValidationError as error:
            raise CommandError(f"No key was issued: {' '.join(error.messages)}") from error
        _, plaintext = APIKey.objects.issue(
            account, name=name, scopes=scopes or list(Scope.values), by=CONSOLE
        )
        self.stdout.write(plaintext)
