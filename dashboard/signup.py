"""What happens when somebody joins: a user, an account of their own, the first plan.

And what their sign-in means afterwards: when it is asked for again, which sessions it outlives.
"""

from django.db import transaction
from django.http import HttpRequest

from accounts import reauthentication, sessions
from accounts.audit import Action, Actor, record_for_user
from accounts.entrance import RecordingAdapter
from accounts.models import Account, User
from billing.models import Plan, Subscription


@transaction.atomic
def open_account(user: User) -> Account:
    """Give ``user`` an account on the first plan on offer. Raises ``Plan.DoesNotExist``."""
    account = Account.objects.open_for(user)
    Subscription.objects.start(account, Plan.objects.first_on_offer())
    return account


class AccountAdapter(RecordingAdapter):
    """allauth's sign-up form, with an account and a plan behind it."""

    request: HttpRequest

    @transaction.atomic
    def save_user(
        self, request: HttpRequest, user: User, form: object, commit: bool = True
    ) -> User:
        super().save_user(request, user, form, commit=True)
        open_account(user)
        by = Actor.of(request, user)
        record_for_user(user, Action.USER_SIGNED_UP, by=by, about=user.email)
        return user

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        return reauthentication.required(self.request)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, object] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell ``user`` that a password, an address or a second factor is another one now.

        Whoever signed in with what was there before is signed out.
        """
        sessions.end_others(self.request, user)
        super().send_notification_mail(template_prefix, user, context, email)
