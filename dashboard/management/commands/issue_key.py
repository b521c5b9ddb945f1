"""``manage.py issue_key --email E --name N``: a key on stdout, and nothing else there."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

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
        parser.add_argument("--plan", help="slug of a plan; the Free Trial for a new account")

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
                account = open_account(user)
            else:
                account = user.accounts.first() or open_account(user)
            if plan:
                Subscription.objects.start(account, Plan.objects.get(slug=plan))
        except Plan.DoesNotExist:
            known = ", ".join(Plan.objects.values_list("slug", flat=True)) or "none is loaded"
            raise CommandError(
                f"There is no plan {plan or 'free-trial'!r}; known: {known}."
            ) from None
        except ValidationError as error:
            raise CommandError(f"No key was issued: {' '.join(error.messages)}") from error
        _, plaintext = APIKey.objects.issue(
            account, name=name, scopes=scopes or list(Scope.values), user=user
        )
        self.stdout.write(plaintext)
