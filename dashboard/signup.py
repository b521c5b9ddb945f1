"""What happens when somebody joins: a user, an account of their own, the Free Trial."""

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from accounts.models import Account, User
from billing.models import TRIAL, Plan, Subscription


@transaction.atomic
def open_account(user: User, *, plan: str = TRIAL) -> Account:
    """Give ``user`` an account on the plan with this slug. Raises ``Plan.DoesNotExist``."""
    account = Account.objects.open_for(user)
    Subscription.objects.start(account, Plan.objects.get(slug=plan))
    return account


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's sign-up form, with an account and a trial behind it."""

    @transaction.atomic
    def save_user(
        self, request: HttpRequest, user: User, form: object, commit: bool = True
    ) -> User:
        super().save_user(request, user, form, commit=True)
        open_account(user)
        return user
