"""The accounts that the believable rows belong to: a few big ones, many small ones."""

import secrets

from django.db import transaction

from accounts import keys
from accounts.models import Account, APIKey, Membership, User
from accounts.scopes import Scope
from bench.believable import Customer, customer
from billing.models import Plan, Subscription
from dashboard.first_run import verified

BIGGEST = "biggest@example.com"
ON_EXTENDED = 40  # every so-manieth account is on a plan of extended retention
KEYS = ["Production", "Staging", "Batch jobs", "Notebook", "Chat widget"]


@transaction.atomic
def open_accounts(number: int) -> str:
    """So many accounts with owners, plans and keys, unless they are there; how to log in."""
    password = secrets.token_urlsafe(12)
    owner = verified(BIGGEST, password)
    missing = range(Account.objects.count() + 1, number + 1)
    plans = list(Plan.objects.on_offer())
    extended = next(plan for plan in plans if plan.retention_class == "extended")
    for rank in missing:
        user = owner if rank == 1 else new_user(rank)
        account = Account.objects.create(name=f"Team {rank}")
        Membership.objects.create(user=user, account=account, role=Membership.Role.OWNER)
        plan = plans[rank % (len(plans) - 1)] if rank % ON_EXTENDED else extended
        Subscription.objects.start(account, plan)
        APIKey.objects.bulk_create(new_key(account, name) for name in KEYS[: 1 + rank % 5])
    return f"The biggest account is that of {BIGGEST}, password {password}"


def new_user(rank: int) -> User:
    """Nobody logs in as them; their passwords need not be hashed."""
    return User.objects.create(email=f"team{rank}@example.com", password="!")


def new_key(account: Account, name: str) -> APIKey:
    plaintext = keys.generate()
    return APIKey(
        account=account,
        name=name,
        scopes=list(Scope.values),
        hint=keys.hint(plaintext),
        digest=keys.digest(plaintext),
    )


def customers() -> list[Customer]:
    """All accounts, the first the biggest."""
    accounts = Account.objects.prefetch_related("api_keys").select_related("subscription__plan")
    return [
        customer(
            account.pk,
            rank,
            [api_key.pk for api_key in account.api_keys.all()],
            account.subscription.plan.retention_class,
        )
        for rank, account in enumerate(accounts.order_by("pk"), 1)
    ]
