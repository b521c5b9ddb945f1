"""One trial for each person, at once for most, after a look for the odd ones."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from accounts import audit
from accounts.audit import Action
from accounts.models import Account, Notice
from billing.models import Plan, Subscription, Trial
from billing.trials import State
from tests.billing.newcomers import OPERATOR, acts, ask, held, of, waiting
from tests.people import make_account, make_plan

pytestmark = pytest.mark.django_db


def test_a_newcomer_is_served_for_as_long_as_the_plan_says() -> None:
    account, stranger = waiting(), waiting()
    epoch = account.epoch

    trial = ask(account)

    subscription = of(account)
    assert (trial.state, trial.reasons, trial.decided_by) == (State.GRANTED, [], "system")
    assert subscription.status == "trialing"
    assert subscription.current_period_end == subscription.started_at + timedelta(days=14)
    assert Account.objects.get(pk=account.pk).epoch > epoch
    assert acts(account)[-1] == Action.TRIAL_GRANTED
    assert of(stranger).status == "incomplete"


def test_a_trial_without_days_has_no_end() -> None:
    account = waiting()
    Plan.objects.update(trial_days=None)

    ask(account)

    assert of(account).current_period_end is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "ADA@Example.COM"),
        ("ada@example.com", "ada+second@example.com"),
        ("ada@example.com", '"ada"@example.com'),
        ("ada.love@gmail.com", "a.dalove+x@googlemail.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_a_second_address_of_a_person_has_no_second_trial(one: str, other: str) -> None:
    first, second = waiting(), waiting()

    ask(first, one)
    refused = ask(second, other)

    assert refused.state == State.REFUSED
    assert (of(second).status, of(second).ended_because) == ("canceled", "no_trial")
    assert acts(second)[-1] == Action.TRIAL_REFUSED
    assert of(first).status == "trialing"


@pytest.mark.parametrize(
    "other", ["adalove@example.com", "ada@example.org", "ada-love@example.com", "bob@example.com"]
)
def test_another_person_has_a_trial_of_their_own(other: str) -> None:
    ask(waiting(), "ada.love@example.com")

    assert ask(waiting(), other).state == State.GRANTED


def test_an_address_to_throw_away_is_held_and_operators_hear_of_it() -> None:
    account = waiting()

    trial = ask(account, "ada@sub.mailinator.com")

    assert trial.state == State.IN_REVIEW
    assert "sub.mailinator.com" in trial.reasons[0]
    assert of(account).status == "incomplete"
    assert acts(account)[-1] == Action.TRIAL_HELD
    notice = Notice.objects.get(account=None)
    assert "ada@sub.mailinator.com" in notice.text
    assert trial.reasons[0] in notice.text
    assert "/ops/billing/trial/?state__exact=in_review" in notice.text


def test_operators_hear_of_many_once_an_hour() -> None:
    for _ in range(3):
        held(waiting())
    Notice.objects.update(once="an hour ago")
    held(waiting())

    assert Notice.objects.filter(account=None).count() == 2


def test_the_fourth_of_a_network_is_held_and_yesterday_does_not_count(settings: Settings) -> None:
    settings.TRIALS_PER_NETWORK = 3

    states = [ask(waiting(), ip=f"192.0.2.{n}").state for n in range(4)]
    elsewhere = ask(waiting(), ip="198.51.100.1").state
    Trial.objects.update(created_at=timezone.now() - timedelta(hours=25))
    tomorrow = ask(waiting(), ip="192.0.2.9").state

    assert states == [State.GRANTED] * 3 + [State.IN_REVIEW]
    assert [elsewhere, tomorrow] == [State.GRANTED, State.GRANTED]
    assert "same network" in Trial.objects.get(state=State.IN_REVIEW).reasons[0]


@pytest.mark.parametrize("most", [0, 2])
def test_no_more_than_so_many_a_day_are_granted_without_a_look(
    settings: Settings, most: int
) -> None:
    settings.TRIALS_PER_DAY = most

    states = [ask(waiting()).state for _ in range(4)]

    assert Counter(states) == Counter({State.GRANTED: most, State.IN_REVIEW: 4 - most})
    assert states[:most] == [State.GRANTED] * most


def test_who_asks_again_for_the_same_account_hears_the_same() -> None:
    account, other = waiting(), waiting()
    first, doubtful = ask(account), held(other)

    assert ask(account) == first
    assert held(other) == doubtful
    assert (of(account).status, of(other).status) == ("trialing", "incomplete")


def test_the_person_outlives_the_account() -> None:
    account = waiting()
    email = "ada@example.com"
    ask(account, email)

    Trial.objects.forget(account)
    Subscription.objects.filter(account=account).delete()
    account.delete()

    trial = Trial.objects.get()
    assert (trial.account, trial.email, trial.network) == (None, "", "")
    assert ask(waiting(), email).state == State.REFUSED


def test_who_left_before_it_was_decided_may_ask_again() -> None:
    account, email = waiting(), "ada@mailinator.com"
    ask(account, email)
    ask(waiting(), email)

    Trial.objects.forget(account)

    assert ask(waiting(), email).state == State.IN_REVIEW


def test_the_database_itself_refuses_a_second_trial() -> None:
    trial = ask(waiting())

    with pytest.raises(IntegrityError, match="trial_one_a_person"):
        Trial.objects.create(person=trial.person, email="x", state=State.IN_REVIEW)


def test_an_operator_answers_for_somebody_and_is_not_asked(settings: Settings) -> None:
    settings.TRIALS_PER_DAY = 0
    first, second = waiting(), waiting()

    for account in (first, second):
        Trial.objects.give(account, "ada@mailinator.com", by=OPERATOR)

    assert (of(first).status, of(second).status) == ("trialing", "trialing")
    assert Trial.objects.get().decided_by == OPERATOR.name
    assert acts(second)[-1] == Action.TRIAL_GRANTED


def test_a_trial_that_is_granted_begins_now_and_its_people_are_told() -> None:
    account = waiting()
    trial = held(account)

    assert [trial.grant(by=OPERATOR), trial.grant(by=OPERATOR), trial.refuse(by=OPERATOR)] == [
        *(True, False, False)
    ]

    assert (trial.state, trial.decided_by) == (State.GRANTED, OPERATOR.name)
    assert of(account).status == "trialing"
    assert acts(account).count(Action.TRIAL_GRANTED) == 1
    notice = Notice.objects.get(account=account)
    assert "has begun" in notice.subject
    assert list(notice.recipients) == [account.members.get().email]


def test_a_trial_that_is_refused_is_so_for_good() -> None:
    account, later = waiting(), waiting()
    trial = ask(account, "ada@mailinator.com")

    assert [trial.refuse(by=OPERATOR), trial.refuse(by=OPERATOR), trial.grant(by=OPERATOR)] == [
        *(True, False, False)
    ]
    again = ask(later, "ada+again@mailinator.com")

    assert (trial.state, again.state) == (State.REFUSED, State.REFUSED)
    assert of(account).ended_because == of(later).ended_because == "refused"
    assert "not granted" in Notice.objects.get(account=account).subject
    assert acts(account).count(Action.TRIAL_REFUSED) == 1


@pytest.mark.parametrize("verb", [Trial.grant, Trial.refuse])
def test_who_has_found_another_plan_meanwhile_keeps_it(verb: Callable[..., bool]) -> None:
    account, gone = waiting(), waiting()
    trial, orphan = held(account), held(gone)
    Subscription.objects.start(account, make_plan("monthly"))
    Trial.objects.filter(pk=orphan.pk).update(account=None)
    orphan.refresh_from_db()

    assert verb(trial, by=OPERATOR)
    assert verb(orphan, by=OPERATOR)

    assert (of(account).plan.slug, of(account).status) == ("monthly", "active")
    assert not Notice.objects.filter(account=account).exists()
    assert not list(audit.verify())


def test_what_others_have_is_not_touched() -> None:
    stranger = make_account()
    before = Subscription.objects.filter(account=stranger).values().get()

    held(waiting()).refuse(by=OPERATOR)

    assert Subscription.objects.filter(account=stranger).values().get() == before
