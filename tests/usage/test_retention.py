"""An account can see what is still remembered, and from when on it is not."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.test import Client

from accounts.models import Account, User
from billing.models import Plan, Subscription
from tests.dashboard.conftest import browser_of
from tests.people import make_account, make_plan, make_user
from tests.usage.calls import make_final
from tests.usage.test_partitions import forget_old_days
from usage import partitions, posting, retention
from usage.retention import Kept

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def _no_old_days() -> None:
    forget_old_days()


@pytest.fixture
def account() -> Account:
    return make_account()


def noon(days_ago: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days_ago), time(12), UTC)


def post(account: Account, days_ago: int, retention_class: str = "standard") -> None:
    final = make_final(
        account_id=account.pk,
        started_at=noon(days_ago).timestamp(),
        retention_class=retention_class,
    )
    posting.post([final])


def turn_clock(monkeypatch: pytest.MonkeyPatch, days: int) -> date:
    day = TODAY + timedelta(days=days)
    monkeypatch.setattr(partitions, "today", lambda: day)
    return day


def test_a_new_account_has_nothing_to_lose(account: Account) -> None:
    assert retention.kept(account) == Kept(days=30, oldest=None, next_purge=None)


def test_the_oldest_row_goes_on_the_day_that_was_told(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(make_account(), 25)
    post(account, 20)
    post(account, 3)

    kept = retention.kept(account)
    assert kept == Kept(30, noon(20), TODAY + timedelta(days=11))

    assert kept.next_purge == turn_clock(monkeypatch, 11)
    assert retention.kept(account).overdue
    retention.prune()
    assert retention.kept(account) == Kept(30, noon(3), TODAY + timedelta(days=28))


def test_the_day_before_it_is_still_there(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(account, 20)
    turn_clock(monkeypatch, 10)

    assert retention.prune() == []
    assert not retention.kept(account).overdue


def test_a_plan_of_extended_retention_keeps_for_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan("enterprise")
    plan.retention_class = Plan.RetentionClass.EXTENDED
    plan.save()
    account = make_account(plan=plan)
    post(account, 20, "extended")

    assert retention.kept(account) == Kept(365, noon(20), TODAY + timedelta(days=346))

    turn_clock(monkeypatch, 345)
    retention.prune()
    assert retention.kept(account).oldest == noon(20)
    turn_clock(monkeypatch, 346)
    retention.prune()
    assert retention.kept(account).oldest is None


def test_what_was_written_before_an_extension_keeps_its_time(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(account, 20)
    account.subscription.keep_logs(Plan.RetentionClass.EXTENDED)
    post(account, 10, retention.class_of(account))

    assert retention.kept(account) == Kept(365, noon(20), TODAY + timedelta(days=11))

    turn_clock(monkeypatch, 60)
    retention.prune()
    assert retention.kept(account).oldest == noon(10)


def test_what_was_written_before_it_ended_keeps_its_time_too(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.subscription.keep_logs(Plan.RetentionClass.EXTENDED)
    post(account, 20, retention.class_of(account))
    account.subscription.keep_logs("")
    post(account, 10, retention.class_of(account))

    assert retention.kept(account) == Kept(30, noon(20), TODAY + timedelta(days=21))

    turn_clock(monkeypatch, 60)
    retention.prune()
    assert retention.kept(account).oldest == noon(20)


def test_an_agreement_outlives_a_change_of_plan(account: Account) -> None:
    epoch = account.epoch
    account.subscription.keep_logs(Plan.RetentionClass.EXTENDED)
    Subscription.objects.start(account, make_plan("12-months"))

    account = Account.objects.get(pk=account.pk)
    assert retention.class_of(account) == "extended"
    assert account.epoch == epoch + 2


def test_an_account_without_a_plan_is_kept_like_the_others() -> None:
    assert retention.kept(Account.objects.create(name="nobody")).days == 30


def test_an_operator_extends_one_account_and_takes_it_back(account: Account) -> None:
    operator = User.objects.create_superuser("operator@example.com", "correct horse")
    other = make_account()

    choose(operator, "extend_retention", account)
    assert [now_kept(one) for one in (account, other)] == [365, 30]

    choose(operator, "follow_plan_retention", account)
    assert now_kept(account) == 30


def test_nobody_else_can(account: Account) -> None:
    for user in (make_user(), account.members.get()):
        choose(user, "extend_retention", account)
    staff = make_user()
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    choose(staff, "extend_retention", account)

    assert now_kept(account) == 30


def choose(user: User, action: str, account: Account) -> None:
    client = browser_of(user)
    chosen = {"action": action, "_selected_action": account.subscription.pk}
    client.post("/ops/billing/subscription/", chosen)


def now_kept(account: Account) -> int:
    return retention.kept(Account.objects.get(pk=account.pk)).days


def test_the_logs_page_tells_the_oldest_request_and_the_next_purge(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, stranger = Client(), Client()
    owner.force_login(account.members.get())
    stranger.force_login(make_account().members.get())
    post(account, 20)
    goes = TODAY + timedelta(days=11)

    told = f"it is deleted on {goes.day} {goes:%B %Y}"
    assert told in owner.get("/logs").content.decode()
    assert told not in stranger.get("/logs").content.decode()

    turn_clock(monkeypatch, 11)
    assert "it goes as soon as it can" in owner.get("/logs").content.decode()
