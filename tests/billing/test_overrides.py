"""What was agreed with an account lies over its plan from a moment until another, and only then."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from accounts.audit import Action, Actor, AuditEntry
from accounts.models import Account
from billing import clock, overrides
from billing.models import Override, Plan, Subscription
from tests.people import make_account, make_key, make_plan

pytestmark = pytest.mark.django_db
BY = Actor("operator somebody@example.com", 7, "192.0.2.7")
DAY = timedelta(days=1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
SetClock = Callable[[datetime], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_to(NOON)
    return set_to


def subscribed(**limits: int) -> Subscription:
    return make_key(**(limits or {"requests_per_day": 100})).account.subscription


def stored(subscription: Subscription) -> dict[str, int]:
    return Subscription.objects.get(pk=subscription.pk).limit_overrides


def epoch_of(subscription: Subscription) -> int:
    return Account.objects.get(pk=subscription.account_id).epoch


def holding(subscription: Subscription) -> dict[str, int]:
    """What the gateway takes for this account's limits."""
    limits = Subscription.objects.limits_of({subscription.account_id})[subscription.account_id]
    return {limit.name: limit.amount for limit in limits}


def agree(subscription: Subscription, **terms: object) -> Override:
    told = {"limits": {"requests_per_day": 5}, "reason": "a launch", "by": BY, **terms}
    return Override.objects.agree(subscription, **told)  # type: ignore[arg-type]


def test_what_is_agreed_holds_at_once_for_this_account_alone() -> None:
    subscription, stranger = subscribed(requests_per_day=100, tokens_per_day=9), subscribed()
    epoch = epoch_of(subscription)

    agree(subscription, limits={"requests_per_day": 5000})

    assert holding(subscription) == {"requests_per_day": 5000, "tokens_per_day": 9}
    assert epoch_of(subscription) == epoch + 1
    assert holding(stranger) == {"requests_per_day": 100}


def test_a_plan_without_limits_has_those_that_are_agreed() -> None:
    plan, _ = Plan.objects.get_or_create(slug="enterprise", name="Enterprise", limits={})
    subscription = make_account(plan=plan).subscription

    override = agree(subscription, limits={"tokens_per_minute": 10**6})
    agreed = holding(subscription)
    override.end(by=BY)

    assert agreed == {"tokens_per_minute": 10**6}
    assert holding(subscription) == {}


def test_it_stays_when_the_plan_changes() -> None:
    subscription = subscribed()
    agree(subscription)

    Subscription.objects.start(subscription.account, make_plan("greater", requests_per_day=10**6))

    assert holding(subscription) == {"requests_per_day": 5}


def test_what_begins_later_begins_then_and_ends_when_it_was_to(set_clock: SetClock) -> None:
    subscription = subscribed()
    epoch = epoch_of(subscription)
    agree(subscription, starts_at=NOON + DAY, ends_at=NOON + 2 * DAY)
    seen = []

    for moment in (NOON, NOON + DAY - timedelta(microseconds=1), NOON + DAY, NOON + 2 * DAY):
        set_clock(moment)
        changed = [overrides.apply(), overrides.apply()]
        seen.append((changed, holding(subscription)["requests_per_day"], epoch_of(subscription)))

    assert seen == [
        ([0, 0], 100, epoch),
        ([0, 0], 100, epoch),
        ([1, 0], 5, epoch + 1),
        ([1, 0], 100, epoch + 2),
    ]


def test_the_later_one_lies_over_the_earlier_one(set_clock: SetClock) -> None:
    subscription = subscribed()
    late = agree(subscription, starts_at=NOON - DAY, limits={"requests_per_day": 2})
    agree(
        subscription, starts_at=NOON - 2 * DAY, limits={"requests_per_day": 1, "tokens_per_day": 1}
    )

    both = stored(subscription)
    late.end(by=BY)

    assert both == {"requests_per_day": 2, "tokens_per_day": 1}
    assert stored(subscription) == {"requests_per_day": 1, "tokens_per_day": 1}


def test_ending_it_is_done_once_and_what_was_to_come_never_does(set_clock: SetClock) -> None:
    subscription = subscribed()
    running, planned = agree(subscription), agree(subscription, starts_at=NOON + DAY)

    ended = [one.end(by=BY) for one in (running, running, planned, planned)]
    set_clock(NOON + 2 * DAY)
    overrides.apply()

    assert ended == [True, False, True, False]
    assert stored(subscription) == {}


def test_what_was_agreed_and_ended_is_on_record() -> None:
    subscription = subscribed()
    ends_at = clock.now() + DAY

    override = agree(subscription, ends_at=ends_at)
    override.end(by=BY)

    agreed, ended = AuditEntry.objects.filter(actor=BY.name).order_by("pk")
    assert (agreed.action, ended.action) == (
        Action.LIMITS_OVERRIDDEN,
        Action.LIMITS_OVERRIDE_ENDED,
    )
    assert agreed.account_id == ended.account_id == subscription.account_id
    assert agreed.details["requests_per_day"] == 5
    assert agreed.details["reason"] == ended.details["reason"] == "a launch"
    assert agreed.details["ends_at"] == f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"
    assert override.created_by == BY.name


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"limits": {}}, "limits"),
        ({"limits": {"requests_per_year": 1}}, "limits"),
        ({"limits": {"requests_per_day": -1}}, "limits"),
        ({"limits": {"requests_per_day": True}}, "limits"),
        ({"reason": " \n"}, "reason"),
        ({"reason": "x" * 301}, "reason"),
        ({"starts_at": NOON + 2 * DAY, "ends_at": NOON + DAY}, "ends_at"),
        ({"starts_at": NOON + DAY, "ends_at": NOON + DAY}, "ends_at"),
        ({"starts_at": NOON - 2 * DAY, "ends_at": NOON - DAY}, "ends_at"),
    ],
)
def test_what_makes_no_sense_is_not_agreed_on(
    terms: dict[str, object], field: str, set_clock: SetClock
) -> None:
    subscription = subscribed()
    before = AuditEntry.objects.count()

    with pytest.raises(ValidationError) as refused:
        agree(subscription, **terms)

    assert list(refused.value.message_dict) == [field]
    assert (Override.objects.count(), AuditEntry.objects.count()) == (0, before)
    assert holding(subscription) == {"requests_per_day": 100}


def test_limits_without_an_override_are_left_alone() -> None:
    subscription = subscribed()
    Subscription.objects.filter(pk=subscription.pk).update(limit_overrides={"tokens_per_day": 3})
    agree(subscribed())

    overrides.apply()

    assert stored(subscription) == {"tokens_per_day": 3}


def test_what_was_agreed_before_there_were_overrides_goes_on_holding() -> None:
    agreed, stranger = subscribed(), subscribed()
    call_command("migrate", "billing", "0004", verbosity=0)
    Subscription.objects.filter(pk=agreed.pk).update(limit_overrides={"tokens_per_day": 3})

    call_command("migrate", "billing", verbosity=0)
    overrides.apply()

    override = Override.objects.get()
    assert (override.subscription, override.reason) == (agreed, "agreed before")
    assert override.limits == stored(agreed) == {"tokens_per_day": 3}
    assert stored(stranger) == {}
