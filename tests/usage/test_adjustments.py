"""Late usage counts in the month in which it happened, and that it came late is on record, once."""

import itertools
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Account
from dashboard.account_deletion import purge
from gateway import counters
from tests.people import make_key
from tests.usage.calls import make_final, make_intent, new_id
from tests.usage.test_crashes import record
from usage import adjustments, partitions, posting, rebuild, reports
from usage.journal import Journal
from usage.models import AccountDay, UsageAdjustment, UsageAlert, UsageHour
from usage.posting import post
from usage.recorder import Recorder

SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))
CLOSED = {
    SEPTEMBER: datetime(2026, 10, 1, 1, tzinfo=UTC),
    OCTOBER: datetime(2026, 11, 1, 1, tzinfo=UTC),
}
MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
LATE = datetime(2026, 10, 30, 14, 20, tzinfo=UTC)
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
INSTANT = timedelta(milliseconds=1)
SetClock = Callable[[datetime], None]
_strangers = itertools.count(10**7)


@pytest.fixture(autouse=True)
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    set_clock(NOW)
    return set_clock


def call(account: int, at: datetime = LATE, request_id: str = "", **more: Any) -> Any:
    fields = {"prompt_tokens": 10, "completion_tokens": 5, "started_at": at.timestamp()}
    return make_final(request_id, account_id=account, **(fields | more))


def noted(account: int) -> list[tuple[date, int, int]]:
    found = UsageAdjustment.objects.filter(account_id=account).order_by("month", "pk")
    return list(found.values_list("month", "requests", "tokens"))


def test_late_usage_counts_in_the_month_in_which_it_happened(
    journal: Journal, recorder: Recorder
) -> None:
    key, stranger = make_key(requests_per_month=10), make_key(requests_per_month=10)
    account = key.account.pk
    mine: dict[str, Any] = {"api_key_id": key.api_key.pk}
    for _ in range(8):
        journal.finish(call(account, **mine))
    journal.finish(call(account, NOW, **mine))
    journal.finish(call(stranger.account.pk, NOW, api_key_id=stranger.api_key.pk))

    assert recorder.run_once() == 10

    hours = UsageHour.objects.filter(account_id=account).values_list("hour", "requests")
    assert list(hours) == [(LATE.replace(minute=0), 8), (NOW, 1)]
    days = AccountDay.objects.filter(account_id=account)
    assert list(days.values_list("day", "requests")) == [(LATE.date(), 8), (NOW.date(), 1)]
    spent = counters.spent_by(account, NOW + INSTANT)
    assert (spent.requests_this_month, spent.tokens_this_month) == (1, 15)
    [alert] = UsageAlert.objects.all()
    assert (alert.account_id, alert.begins_on, alert.threshold) == (account, OCTOBER, 80)
    assert noted(account) == [(OCTOBER, 8, 120)]
    assert noted(stranger.account.pk) == []


@pytest.mark.django_db
def test_what_was_added_is_told_by_month_and_from_which_hours_it_is(account: int) -> None:
    early, middle = datetime(2026, 9, 2, 3, tzinfo=UTC), datetime(2026, 10, 7, 23, 59, tzinfo=UTC)

    post([call(account), call(account, middle, model="b", outcome="refused"), call(account, early)])

    september, october = UsageAdjustment.objects.filter(account_id=account).order_by("month")
    assert (september.month, september.requests, september.tokens) == (SEPTEMBER, 1, 15)
    assert (september.first_hour, september.last_hour) == (early, early)
    assert (october.month, october.requests, october.tokens) == (OCTOBER, 2, 30)
    assert october.first_hour == middle.replace(minute=0)
    assert october.last_hour == LATE.replace(minute=0)
    assert {september.recorded_at, october.recorded_at} == {NOW}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("began", "recorded", "late"),
    [
        (MIDNIGHT - INSTANT, CLOSED[OCTOBER], True),
        (MIDNIGHT - INSTANT, CLOSED[OCTOBER] - INSTANT, False),
        (MIDNIGHT - INSTANT, MIDNIGHT + INSTANT, False),
        (MIDNIGHT, NOW, False),
        (NOW, NOW, False),
        (NOW + timedelta(days=28), NOW, False),  # of a host whose clock is fast
        (datetime(2026, 9, 30, 23, tzinfo=UTC), MIDNIGHT + INSTANT, True),
        (datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC), True),
    ],
)
def test_usage_is_late_an_hour_after_its_month_has_ended(
    set_clock: SetClock, account: int, began: datetime, recorded: datetime, late: bool
) -> None:
    set_clock(recorded)

    post([call(account, began)])

    assert bool(noted(account)) == late
    assert reports.requests_on_day(account, began.date()) == 1


def test_where_nothing_is_late_nothing_is_asked_of_the_database() -> None:
    class Untouchable:
        def execute(self, *_: object) -> None:
            raise AssertionError("a query")

    ready = posting.prepare([call(1, NOW - timedelta(minutes=n)) for n in range(200)])
    late = posting.prepare([call(1)])

    adjustments.note(Untouchable(), ready.sums.hours, NOW)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        adjustments.note(Untouchable(), late.sums.hours, NOW)  # type: ignore[arg-type]


def test_a_segment_that_is_read_again_adds_nothing(
    journal: Journal, recorder: Recorder, directory: Path, account: int
) -> None:
    journal.intend(make_intent(account_id=account))  # runs on, so the segment stays
    journal.finish(call(account))

    assert [recorder.run_once(), recorder.run_once(), Recorder(directory).run_once()] == [1, 0, 0]

    assert noted(account) == [(OCTOBER, 1, 15)]


@pytest.mark.django_db
def test_of_a_batch_that_is_partly_known_only_the_rest_is_late(
    set_clock: SetClock, account: int
) -> None:
    in_time, late, later = (call(account, prompt_tokens=n) for n in (0, 1, 2))
    set_clock(MIDNIGHT + INSTANT)
    post([in_time])
    set_clock(NOW)

    post([in_time, late])
    post([late, later, in_time])

    assert noted(account) == [(OCTOBER, 1, 6), (OCTOBER, 1, 7)]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the killed leave them
def test_a_recorder_that_is_killed_before_any_line_makes_one_record(transactional_db: None) -> None:
    post([call(next(_strangers))])  # the table of the day
    for fuse in range(1, 10**4, 3):
        account = next(_strangers)
        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(Path(folder))
            journal.finish(call(account))
            journal.finish(call(account))
            journal.close()
            first = Recorder(Path(folder))
            second = record(first, [fuse])
            second.run_once()

        assert noted(account) == [(OCTOBER, 2, 30)], fuse
        if first is second:
            break
    assert fuse > 100


@pytest.mark.django_db
def test_rollups_that_are_made_again_are_no_adjustment(account: int) -> None:
    post([call(account), call(account)])
    UsageHour.objects.filter(account_id=account).update(requests=77)

    rebuild.rebuild_day(LATE.date())

    assert UsageHour.objects.get(account_id=account).requests == 2
    assert noted(account) == [(OCTOBER, 2, 30)]


@pytest.mark.django_db
def test_an_account_that_is_removed_leaves_no_adjustments(set_clock: SetClock) -> None:
    gone, stranger = make_key().account, make_key().account
    post([call(gone.pk), call(stranger.pk)])
    Account.objects.filter(pk=gone.pk).update(closed_at=NOW)
    gone.refresh_from_db()

    purge(gone)

    assert noted(gone.pk) == []
    assert noted(stranger.pk) == [(OCTOBER, 1, 15)]


BEGINNINGS = [
    datetime(2026, 9, 30, 23, 59, tzinfo=UTC),
    datetime(2026, 10, 1, tzinfo=UTC),
    MIDNIGHT - INSTANT,
    MIDNIGHT,
]
RECORDINGS = [
    datetime(2026, 9, 30, 23, 59, 30, tzinfo=UTC),
    *(moment for closed in CLOSED.values() for moment in (closed - INSTANT, closed)),
    NOW,
]
Batches = st.lists(
    st.tuples(st.sampled_from(RECORDINGS), st.lists(st.integers(0, 15), min_size=1, max_size=8)),
    max_size=12,
)


class AnyHistory(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        partitions.create(("standard", began.date()) for began in BEGINNINGS)

    @given(Batches)
    @settings(max_examples=100, deadline=None)
    def test_a_closed_month_is_what_it_was_at_its_close_and_what_is_on_record_since(
        self, batches: list[tuple[datetime, list[int]]]
    ) -> None:
        accounts = [next(_strangers), next(_strangers)]
        calls = [
            call(account, began, new_id(), prompt_tokens=tokens)
            for account in accounts
            for began in BEGINNINGS
            for tokens in (1, 100)
        ]
        at_close: dict[date, list[tuple[int, int]]] = {}
        for moment, numbers in sorted([*batches, (NOW, [0])]):
            for month, closed in CLOSED.items():
                if moment >= closed and month not in at_close:
                    at_close[month] = [by_the_hours(account, month) for account in accounts]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(timezone, "now", lambda moment=moment: moment)
                post([calls[number] for number in numbers])

        for month in CLOSED:
            for account, (requests, tokens) in zip(accounts, at_close[month], strict=True):
                late = UsageAdjustment.objects.filter(account_id=account, month=month)
                sums = late.aggregate(n=Sum("requests", default=0), t=Sum("tokens", default=0))
                now = by_the_hours(account, month)
                assert (requests + sums["n"], tokens + sums["t"]) == now
        assert not UsageAdjustment.objects.filter(month=NOVEMBER).exists()


def by_the_hours(account: int, month: date) -> tuple[int, int]:
    start, _ = reports.hours_of(month)
    found = reports.totals(account, start, (start + timedelta(days=32)).replace(day=1))
    return found.requests, found.tokens
