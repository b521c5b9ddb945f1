"""A subscription that is renewed or ends is told of, once each, and is known to every process."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from billing.calendar_months import after_months
from billing.models import Subscription
from tests.operators import as_operator
from tests.people import make_account, make_plan

pytestmark = pytest.mark.django_db
END = datetime(2027, 1, 31, 12, tzinfo=UTC)


def on(account: Account) -> Subscription:
    return Subscription.objects.get(account=account)


def told(account: Account) -> list[tuple[str, str | None]]:
    documents = [msgspec.json.decode(event.payload) for event in account.events.all()]
    return [(document["type"], document["data"]["period_end"]) for document in documents]


def test_a_renewed_subscription_is_told_of_once() -> None:
    account, stranger = make_account(plan=make_plan("monthly")), make_account()
    epoch = Account.objects.get(pk=account.pk).epoch

    renewed = [on(account).renew(END) for _ in range(3)]

    assert renewed == [True, False, False]
    assert told(account) == [("subscription.renewed", "2027-01-31T12:00:00Z")]
    assert Account.objects.get(pk=account.pk).epoch == epoch + 1
    assert told(stranger) == []


def test_the_next_period_begins_where_the_last_one_ended() -> None:
    account = make_account()
    on(account).renew(END)

    on(account).renew(END + timedelta(days=28))

    subscription = on(account)
    assert subscription.current_period_start == END
    assert subscription.current_period_end == END + timedelta(days=28)


def test_a_subscription_that_ends_is_told_of_once() -> None:
    account = make_account()
    on(account).renew(END)

    ended = [on(account).expire() for _ in range(3)]

    assert ended == [True, False, False]
    assert told(account)[1:] == [("subscription.expired", "2027-01-31T12:00:00Z")]
    assert on(account).status == "canceled"


def test_what_has_ended_goes_on_when_it_is_renewed() -> None:
    account = make_account()
    on(account).renew(END)
    on(account).expire()

    on(account).renew(END)

    assert on(account).status == "active"
    assert timezone.now() - on(account).current_period_start < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("begin", "months", "end"),
    [
        ((2027, 1, 31), 1, (2027, 2, 28)),
        ((2028, 1, 31), 1, (2028, 2, 29)),
        ((2027, 11, 30), 3, (2028, 2, 29)),
        ((2027, 5, 5), 12, (2028, 5, 5)),
        ((2027, 12, 1), 1, (2028, 1, 1)),
    ],
)
def test_months_end_on_the_same_day_or_the_last(
    begin: tuple[int, int, int], months: int, end: tuple[int, int, int]
) -> None:
    assert after_months(datetime(*begin, tzinfo=UTC), months) == datetime(*end, tzinfo=UTC)


def test_operators_renew_and_end_plans_by_hand_and_members_do_not(client: Client) -> None:
    account = make_account(plan=make_plan("monthly"))
    plan = on(account).plan
    plan.interval_months = 3
    plan.save()
    address, chosen = "/ops/billing/subscription/", {"_selected_action": [on(account).pk]}

    client.force_login(account.members.get())
    assert client.post(address, chosen | {"action": "expire"}).status_code == 403
    assert on(account).status == "active"
    as_operator(client)
    client.post(address, chosen | {"action": "renew"})
    renewed = on(account).current_period_end
    client.post(address, chosen | {"action": "expire"})

    assert renewed is not None
    assert timedelta(days=88) < renewed - timezone.now() < timedelta(days=93)
    assert on(account).status == "canceled"
    assert [kind for kind, _ in told(account)] == ["subscription.renewed", "subscription.expired"]
