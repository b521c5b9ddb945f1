"""An account is told at 80 and 90 % of a limit and at its first refusal, each once per window."""

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.audit import SYSTEM
from accounts.models import Account
from billing.models import Subscription, limit_key
from tests.people import Issued, make_account, make_key, make_plan
from tests.usage.calls import make_final
from usage import rebuild
from usage.audit import audit
from usage.models import AccountDay, UsageAlert, UsageHour
from usage.posting import post
from usage.thresholds import reached
from webhooks.models import Event

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def spend(key: Issued, tokens: int, at: datetime = NOW) -> None:
    post([call(key, tokens, at)])


def call(key: Issued, tokens: int, at: datetime = NOW, **more: Any) -> Any:
    return make_final(
        account_id=key.account.pk,
        api_key_id=key.api_key.pk,
        started_at=at.timestamp(),
        prompt_tokens=tokens,
        completion_tokens=0,
        **more,
    )


def told(account: Account) -> list[tuple[str, Any, Any]]:
    """Type, threshold and use of each event about use, in order."""
    events = Event.objects.filter(account=account, type__startswith="usage.").order_by("sequence")
    documents = [msgspec.json.decode(event.payload) for event in events]
    return [(d["type"], d["data"]["threshold"], d["data"]["current_usage"]) for d in documents]


def data_of_last(account: Account) -> dict[str, Any]:
    payload = Event.objects.filter(account=account).latest("sequence").payload
    data: dict[str, Any] = msgspec.json.decode(payload)["data"]
    return data


def refused(key: Issued, name: str, *, used: int, limit: int, scope: str = "account") -> Any:
    use = {"name": name, "limit": limit, "used": used, "asked": 10, "scope": scope}
    within = {"name": "requests_per_minute", "limit": 60, "used": 1, "asked": 1}
    decision = msgspec.json.encode({"admitted": False, "limits": [within, use]})
    code = "lifetime_limit_reached" if "lifetime" in name else "quota_exceeded"
    return call(key, 0, outcome="refused", error_code=code, lease="", decision=decision)


def test_what_was_reached_is_told_in_the_shape_of_the_seed() -> None:
    key = make_key(tokens_per_day=1_000_000)
    stranger = make_key(tokens_per_day=1_000_000)

    spend(key, 820_000)

    assert data_of_last(key.account) == {
        "account_id": key.account.pk,
        "threshold": 80,
        "current_usage": 820_000,
        "limit": 1_000_000,
        "period_end": "2026-11-27T23:59:59Z",
        "window": "day",
        "metric": "tokens",
        "soft": False,
        "api_key_id": None,
    }
    assert told(stranger.account) == []


def test_each_threshold_is_told_once_in_a_day_and_again_the_next() -> None:
    key = make_key(tokens_per_day=1000)

    for tokens in (799, 1, 1, 98, 1, 50):
        spend(key, tokens)
    spend(key, 800, NOW + timedelta(days=1))

    reached = "usage.threshold_reached"
    assert told(key.account) == [(reached, 80, 800), (reached, 90, 900), (reached, 80, 800)]


def test_two_thresholds_at_once_are_told_in_order() -> None:
    key = make_key(requests_per_day=10)

    post([call(key, 1) for _ in range(9)])

    assert [threshold for _, threshold, _ in told(key.account)] == [80, 90]


def test_a_month_is_the_sum_of_its_days() -> None:
    key = make_key(tokens_per_month=1000)
    for day in (1, 9, 27):
        spend(key, 300, NOW.replace(day=day))
    spend(key, 900, NOW.replace(month=10, day=31))

    assert [(threshold, used) for _, threshold, used in told(key.account)] == [
        (80, 900),
        (90, 900),
        (80, 900),
        (90, 900),
    ]
    ends = {
        msgspec.json.decode(event.payload)["data"]["period_end"]
        for event in Event.objects.filter(type="usage.threshold_reached")
    }
    assert ends == {"2026-11-30T23:59:59Z", "2026-10-31T23:59:59Z"}


def test_a_limit_of_a_minute_is_no_matter_for_a_message() -> None:
    key = make_key(requests_per_minute=1, tokens_per_minute=10)

    spend(key, 1000)
    post([refused(key, "requests_per_minute", used=1, limit=1)])

    assert told(key.account) == []


def test_the_first_refusal_of_a_window_is_told_and_no_other() -> None:
    key = make_key(tokens_per_day=1000)

    post([refused(key, "tokens_per_day", used=995, limit=1000) for _ in range(3)])
    post([refused(key, "tokens_per_day", used=996, limit=1000)])

    assert told(key.account) == [("usage.limit_exceeded", 100, 995)]
    assert data_of_last(key.account)["limit"] == 1000


def test_a_limit_of_a_key_is_told_with_the_key() -> None:
    account = make_account(plan=make_plan("plenty"))
    limited, other = make_key(account), make_key(account)
    limit_key(limited.api_key, {"tokens_per_day": 100, "tokens_per_lifetime": 200}, by=SYSTEM)

    spend(limited, 85)
    spend(other, 85)
    spend(limited, 85, NOW - timedelta(days=400))
    post([refused(limited, "tokens_per_lifetime", used=195, limit=200, scope="key")])

    events = Event.objects.filter(account=account, type__startswith="usage.").order_by("sequence")
    data = [msgspec.json.decode(event.payload)["data"] for event in events]
    assert [(d["window"], d["threshold"], d["current_usage"]) for d in data] == [
        ("day", 80, 85),
        ("day", 80, 85),
        ("lifetime", 80, 170),
        ("lifetime", 100, 195),
    ]
    assert {d["api_key_id"] for d in data} == {limited.api_key.pk}
    assert data[-1]["period_end"] is None


def test_a_soft_limit_that_is_passed_is_told_though_nothing_was_refused() -> None:
    key = make_key(soft_tokens_per_month=1000)

    spend(key, 1000)

    assert [kind for kind, _, _ in told(key.account)] == [
        "usage.threshold_reached",
        "usage.threshold_reached",
        "usage.limit_exceeded",
    ]
    assert data_of_last(key.account)["soft"] is True


def test_after_an_upgrade_the_new_limit_is_another_one() -> None:
    key = make_key(tokens_per_day=1000)
    spend(key, 800)

    Subscription.objects.start(key.account, make_plan("bigger", tokens_per_day=2000))
    spend(key, 100)
    spend(key, 700)

    assert [(threshold, used) for _, threshold, used in told(key.account)] == [
        (80, 800),
        (80, 1600),
    ]


def test_an_account_without_limits_is_told_nothing() -> None:
    key = make_key(make_account(plan=make_plan("endless", requests_per_minute=9)))

    spend(key, 10**12)

    assert told(key.account) == []


@pytest.mark.parametrize("decision", [b"{}", b'{"limits": 5}', b'{"limits": [{"name": "x"}]}'])
def test_a_decision_that_cannot_be_read_holds_up_nothing(decision: bytes) -> None:
    key = make_key(tokens_per_day=1000)
    odd = {"outcome": "refused", "error_code": "quota_exceeded", "lease": ""}

    assert post([call(key, 0, decision=decision, **odd)]) == 1

    assert told(key.account) == []


def test_a_record_that_comes_twice_is_counted_once() -> None:
    key = make_key(tokens_per_day=1000)
    final = call(key, 500)

    for _ in range(3):
        post([final])

    assert AccountDay.objects.get().tokens == 500
    assert told(key.account) == []


@pytest.mark.django_db(transaction=True)
def test_an_audit_finds_a_total_that_does_not_fit(tmp_path: Path) -> None:
    key = make_key(tokens_per_day=1000)
    spend(key, 10, datetime.now(UTC))
    before = audit(tmp_path)

    AccountDay.objects.update(tokens=11)

    assert before == []
    [difference] = audit(tmp_path)
    assert "(1, 10) by the hours and (1, 11) by the day" in difference


def test_totals_made_again_are_the_same() -> None:
    key = make_key(tokens_per_day=10**6)
    for hour in range(5):
        spend(key, 100, NOW.replace(hour=hour))
    before = list(AccountDay.objects.values("account", "day", "requests", "tokens"))

    AccountDay.objects.update(tokens=1)
    rebuild.rebuild_day(NOW.date())

    assert list(AccountDay.objects.values("account", "day", "requests", "tokens")) == before
    assert before == [{"account": key.account.pk, "day": NOW.date(), "requests": 5, "tokens": 500}]


@pytest.mark.django_db(transaction=True)
def test_many_recorders_at_once_tell_each_thing_once() -> None:
    key = make_key(tokens_per_day=1000)
    batches = [[call(key, 1) for _ in range(20)] for _ in range(50)]
    post(batches.pop())  # the tables of the day

    recorders = [threading.Thread(target=record, args=(batches[n::7],)) for n in range(7)]
    for recorder in recorders:
        recorder.start()
    for recorder in recorders:
        recorder.join()

    assert AccountDay.objects.get().tokens == 1000
    assert [threshold for _, threshold, _ in told(key.account)] == [80, 90]
    assert [used for _, _, used in told(key.account)] == [800, 900]


def record(batches: list[list[Any]]) -> None:
    try:
        for batch in batches:
            post(batch)
    finally:
        connection.close()


Calls = st.lists(
    st.tuples(st.integers(0, 60), st.integers(25, 28), st.booleans(), st.integers(0, 5)),
    min_size=1,
    max_size=30,
)


class AnyHistory(TestCase):
    @given(Calls)
    @settings(max_examples=60, deadline=None)
    def test_whatever_happens_in_whatever_batches_each_window_is_told_what_it_reached(
        self, calls: list[tuple[int, int, bool, int]]
    ) -> None:
        key = make_key(tokens_per_day=100, requests_per_month=10)
        batches: dict[int, list[Any]] = {}
        for tokens, day, admitted, batch in calls:
            lease = "reserved" if admitted else ""
            spent = tokens if admitted else 0
            final = call(key, spent, NOW.replace(day=day), lease=lease)
            batches.setdefault(batch, []).append(final)
        for batch in batches.values():
            post(batch)

        by_day: dict[date, int] = {}
        for tokens, day, admitted, _ in calls:
            by_day[date(2026, 11, day)] = by_day.get(date(2026, 11, day), 0) + tokens * admitted
        expected = {
            ("tokens_per_day", day, percent)
            for day, tokens in by_day.items()
            for percent in reached(tokens, 100)
        }
        admitted_calls = sum(admitted for _, _, admitted, _ in calls)
        expected |= {
            ("requests_per_month", date(2026, 11, 1), percent)
            for percent in reached(admitted_calls, 10)
        }
        alerts = UsageAlert.objects.filter(account=key.account)
        assert set(alerts.values_list("name", "begins_on", "threshold")) == expected
        assert len(told(key.account)) == len(expected)
        hours = UsageHour.objects.filter(account=key.account)
        days = AccountDay.objects.filter(account=key.account)
        assert sum(days.values_list("requests", flat=True)) == admitted_calls
        assert sum(days.values_list("tokens", flat=True)) == sum(
            hours.values_list("prompt_tokens", flat=True)
        )
