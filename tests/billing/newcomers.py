"""Accounts that wait for a trial, and those who ask for one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

from django.db import connection

from accounts.audit import Actor
from accounts.models import Account
from billing.models import Plan, Subscription, Trial
from tests.people import make_plan, make_user

OPERATOR = Actor("operator Olga", 1, "192.0.2.1")
_networks = count(1)


def trial_plan() -> Plan:
    """The first on offer, for two weeks."""
    plan = make_plan("free-trial")
    plan.trial, plan.trial_days, plan.interval_months = True, 14, 0
    plan.save()
    return plan


def waiting(plan: Plan | None = None) -> Account:
    account = Account.objects.open_for(make_user("newcomer"))
    Subscription.objects.withhold(account, plan or trial_plan())
    return account


def ask(account: Account, email: str = "", ip: str = "") -> Trial:
    """From a network of its own, unless one is named."""
    owner = account.members.get()
    ip = ip or f"10.0.{next(_networks)}.1"
    return Trial.objects.ask(account, email or owner.email, by=Actor(owner.email, owner.pk, ip))


def held(account: Account) -> Trial:
    return ask(account, f"{account.pk}@mailinator.com")


def of(account: Account) -> Subscription:
    return Subscription.objects.get(account=account)


def acts(account: Account) -> list[str]:
    return list(account.audit_entries.order_by("number").values_list("action", flat=True))


def at_once(acts: list[Callable[[], object]]) -> list[object]:
    """What each gives back, done in a thread of its own, all together."""
    together = Barrier(len(acts))

    def do(act: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            together.wait(30)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(do, acts))
