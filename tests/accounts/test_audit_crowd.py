"""Many write to the same chains at once, and some think better of it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts import audit
from accounts.audit import SYSTEM, Action, AuditEntry
from accounts.models import Account, Membership, User
from tests.people import make_account, make_key, make_user

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, ACTS = 20, 50


class ThoughtBetterOfIt(Exception):
    pass


def shared_accounts(owner: User) -> list[Account]:
    accounts = [make_account(owner) for _ in range(3)]
    assert owner.accounts.count() == 3
    return accounts


def in_threads(work: object) -> None:
    """Twenty at a time, each with a connection of its own; what goes wrong in one is raised."""
    ready = threading.Barrier(THREADS)

    def one(number: int) -> None:
        try:
            ready.wait(60)
            work(number)  # type: ignore[operator]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(THREADS)))


def test_twenty_writers_leave_one_chain_without_a_gap_for_each_account() -> None:
    owner = make_user()
    accounts = shared_accounts(owner)

    def work(number: int) -> None:
        for act in range(ACTS):
            account = accounts[(number + act) % 3]
            audit.record(account, Action.ACCOUNT_RENAMED, by=SYSTEM, writer=number, act=act)

    in_threads(work)

    assert not list(audit.verify())
    written = AuditEntry.objects.filter(action=Action.ACCOUNT_RENAMED)
    assert written.count() == THREADS * ACTS
    for account in accounts:
        numbers = account.audit_entries.order_by("number").values_list("number", flat=True)
        assert list(numbers) == [*range(1, len(numbers) + 1)]


def test_acts_that_were_rolled_back_leave_no_gap() -> None:
    account = make_account()

    def work(number: int) -> None:
        for act in range(5):
            try:
                with transaction.atomic():
                    audit.record(account, Action.ACCOUNT_RENAMED, by=SYSTEM, act=act)
                    if (number + act) % 2:
                        raise ThoughtBetterOfIt
            except ThoughtBetterOfIt:
                pass

    in_threads(work)

    assert not list(audit.verify())
    assert account.audit_entries.filter(action=Action.ACCOUNT_RENAMED).count() == THREADS * 5 / 2


def test_the_first_entry_of_a_chain_is_written_once() -> None:
    in_threads(lambda number: audit.record(None, Action.USER_SIGNED_UP, by=SYSTEM, n=number))

    assert not list(audit.verify())
    assert AuditEntry.objects.filter(chain=0).count() == THREADS


def test_nobody_waits_for_somebody_who_waits_for_them() -> None:
    """Acts on an account, on its key, and on a person in several accounts, in any order."""
    owner, friend = make_user(), make_user("friend")
    accounts = shared_accounts(owner)
    for account in reversed(accounts):
        Membership.objects.create(user=friend, account=account, role=Membership.Role.ADMIN)
    keys = [make_key(account).api_key for account in accounts]

    def work(number: int) -> None:
        for act in range(6):
            account = Account.objects.get(pk=accounts[act % 3].pk)
            if number % 4 == 0:
                account.rename(f"Name {number}-{act}", by=SYSTEM)
            elif number % 4 == 1:
                keys[act % 3].limit({"requests_per_day": number * 10 + act + 1}, by=SYSTEM)
            else:
                person = owner if number % 4 == 2 else friend
                audit.record_for_user(person, Action.USER_SIGNED_IN, by=SYSTEM)

    in_threads(work)

    assert not list(audit.verify())
    assert AuditEntry.objects.filter(action=Action.USER_SIGNED_IN).count() == 10 * 6 * 3
    assert AuditEntry.objects.filter(action=Action.ACCOUNT_RENAMED).count() == 5 * 6
