"""What happens when somebody joins: a user, an account of their own, the first plan.

And what their sign-in means afterwards: when it is asked for again, which sessions it outlives.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django.db import transaction
from django.http import HttpRequest

from accounts import reauthentication, sessions
from accounts.audit import Action, Actor, record_for_user
from accounts.entrance import RecordingAdapter
from accounts.features import SIGNUP
from accounts.models import Account, User
from accounts.roles import Role
from billing.models import Plan, Subscription, Trial
from dashboard.switched_off import refuse


@transaction.atomic
def open_account(user: User, *, vouched_for_by: Actor | None = None) -> Account:
    """Give ``user`` an account on the first plan on offer. Raises ``Plan.DoesNotExist``.

    A trial waits until their address is verified and ``Trial.objects.ask`` has said yes, unless
    an operator answers for them.
    """
    account = Account.objects.open_for(user)
    plan = Plan.objects.first_on_offer()
    if not plan.trial:
        Subscription.objects.start(account, plan)
        return account
    Subscription.objects.withhold(account, plan)
    if vouched_for_by:
        Trial.objects.give(account, user.email, by=vouched_for_by)
    return account


@contextmanager
def trial_decided(request: HttpRequest, user: User) -> Iterator[None]:
    """What is done within may verify the address of ``user``: then their trial is decided.

    Rows are locked before: the rest of the product locks them before what it puts on record.
    """
    with transaction.atomic():
        waiting = account_waiting_for_trial(user)
        yield
        address = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary").first()
        if waiting and address:
            Trial.objects.ask(waiting, address.email, by=Actor.of(request, user))


def account_waiting_for_trial(user: User) -> Account | None:
    """The account of ``user`` whose trial nobody has decided about; locked."""
    waiting = (
        Subscription.objects.select_for_update(of=("self", "account"))
        .select_related("account")
        .filter(
            account__memberships__user=user,
            account__memberships__role=Role.OWNER,
            plan__trial=True,
            status=Subscription.Status.INCOMPLETE,
            stripe_id=None,
        )
    )
    accounts = [subscription.account for subscription in waiting.order_by("pk")]
    return next((account for account in accounts if not account.trials.exists()), None)


def what_begins(user: User) -> str:
    """What an account that ``user`` opens now would begin with, in words."""
    plan = Plan.objects.on_offer().first()
    if plan is None:
        return "There is no plan on offer just now."
    if plan.trial and Trial.objects.had_by(user.email).exists():
        return (
            "You have asked for a trial before, and there is one for each person: "
            "this account begins once you have chosen a plan under Billing."
        )
    return f"It begins on the plan {plan}."


class AccountAdapter(RecordingAdapter):
    """allauth's sign-up form, with an account and a plan behind it."""

    request: HttpRequest

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if SIGNUP.is_off:
            raise ImmediateHttpResponse(refuse(request, SIGNUP))
        return True

    @transaction.atomic
    def save_user(
        self, request: HttpRequest, user: User, form: object, commit: bool = True
    ) -> User:
        super().save_user(request, user, form, commit=True)
        open_account(user)
        by = Actor.of(request, user)
        record_for_user(user, Action.USER_SIGNED_UP, by=by, about=user.email)
        return user

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        with trial_decided(request, email_address.user):
            return super().confirm_email(request, email_address)

    def login(self, request: HttpRequest, user: User) -> None:
        """A code that sets a new password verifies the address as well, and says so to nobody."""
        with trial_decided(request, user):
            super().login(request, user)

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        return reauthentication.required(self.request)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """Operators who have a second factor are asked for just that."""
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        stronger = [way for way in methods if way["id"] != "reauthenticate"]
        return stronger if stronger and user.is_staff else methods

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
