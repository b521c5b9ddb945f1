"""Many ask at the same moment; what was allowed is granted, and not one more."""

from collections import Counter

import pytest
from pytest_django import Settings

from accounts import audit
from accounts.audit import Action, AuditEntry
from accounts.models import Notice
from billing.models import Subscription, Trial
from billing.trials import State
from tests.billing.newcomers import OPERATOR, ask, at_once, held, of, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_farm_gets_as_many_as_are_allowed_and_not_one_more(settings: Settings) -> None:
    settings.TRIALS_PER_NETWORK = 3
    accounts = [waiting() for _ in range(30)]

    at_once([lambda a=account: ask(a, ip="192.0.2.66") for account in accounts])

    states = Counter(Trial.objects.values_list("state", flat=True))
    assert states == Counter({State.GRANTED: 3, State.IN_REVIEW: 27})
    assert Subscription.objects.filter(status="trialing").count() == 3
    assert AuditEntry.objects.filter(action=Action.TRIAL_HELD).count() == 27
    assert Notice.objects.count() == 1


def test_of_all_accounts_that_a_person_opens_at_once_one_has_a_trial() -> None:
    accounts = [waiting() for _ in range(8)]

    at_once(
        [
            lambda a=account, n=n: ask(a, f"ada+{n}@example.com")
            for n, account in enumerate(accounts)
        ]
    )

    assert Counter(Trial.objects.values_list("state", flat=True)) == {"granted": 1, "refused": 7}
    assert Subscription.objects.filter(status="trialing").count() == 1
    assert not list(audit.verify())


def test_of_two_operators_one_decides() -> None:
    account = waiting()
    pk = held(account).pk

    outcomes = at_once(
        [
            lambda: Trial.objects.get(pk=pk).grant(by=OPERATOR),
            lambda: Trial.objects.get(pk=pk).refuse(by=OPERATOR),
        ]
    )

    assert sorted(map(bool, outcomes)) == [False, True]
    served = Trial.objects.get().state == State.GRANTED
    assert of(account).is_served == served
    assert Notice.objects.filter(account=account).count() == 1
