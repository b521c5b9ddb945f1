"""Accounts for tests: an owner with a key, a colleague beside them, a stranger elsewhere."""

from dataclasses import dataclass
from functools import cache
from itertools import count

from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.audit import SYSTEM
from accounts.models import Account, APIKey, Membership, User
from accounts.scopes import Scope
from billing.models import Plan, Price, Subscription, limit_key

_numbers = count(1)
_hash_of = cache(make_password)  # once: a password is slow to hash, as it should be


def make_user(name: str = "owner") -> User:
    """A user with a fresh address; the password is ``correct horse``."""
    email = f"{name}{next(_numbers)}@example.com"
    return User.objects.create(email=email, password=_hash_of("correct horse"))


def make_plan(slug: str = "monthly", **limits: int) -> Plan:
    """A plan with just these limits; one that allows plenty if none are given."""
    plenty = {"requests_per_minute": 10_000, "tokens_per_minute": 10**9, "tokens_per_day": 10**9}
    defaults = {"name": slug.title(), "interval_months": 1}
    plan, _ = Plan.objects.get_or_create(slug=slug, defaults=defaults)
    plan.limits = limits or plenty
    plan.save()
    return plan


def make_price(plan: Plan) -> Price:
    """What ``plan`` costs at the Stripe that we speak with."""
    return Price.objects.create(
        plan=plan,
        mode=settings.STRIPE.mode,
        stripe_id=f"price_{next(_numbers)}",
        unit_amount=100,
        currency="usd",
        interval_months=1,
    )


def make_account(user: User | None = None, *, plan: Plan | None = None) -> Account:
    account = Account.objects.open_for(user or make_user())
    Subscription.objects.start(account, plan or make_plan())
    return account


def make_colleague(account: Account, role: str = Membership.Role.DEVELOPER) -> User:
    user = make_user("colleague")
    Membership.objects.create(user=user, account=account, role=role)
    return user


@dataclass(frozen=True)
class Issued:
    """A key together with the plaintext that only its creator ever sees."""

    api_key: APIKey
    plaintext: str

    @property
    def account(self) -> Account:
        return self.api_key.account

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.plaintext}"}


def make_key(
    account: Account | None = None,
    *,
    scopes: list[str] | None = None,
    own: dict[str, int] | None = None,
    **limits: int,
) -> Issued:
    """A key with every scope; with ``limits``, on an account whose plan allows just that.

    ``own`` limits hold for this key alone.
    """
    if account is None:
        plan = make_plan(f"plan-{next(_numbers)}", **limits) if limits else None
        account = make_account(plan=plan)
    scopes = list(Scope.values) if scopes is None else scopes
    issued = Issued(*APIKey.objects.issue(account, name="Development", scopes=scopes, by=SYSTEM))
    limit_key(issued.api_key, own or {}, by=SYSTEM)
    return issued
