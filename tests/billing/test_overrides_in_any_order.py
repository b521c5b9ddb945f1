"""Whatever is agreed, ended and missed in whatever order: what holds is what the rows say."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import sleep

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.audit import SYSTEM
from accounts.models import Account
from billing import clock, overrides
from billing.models import Override, Subscription
from tests.people import make_account

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
Amounts = dict[str, int]
Step = tuple[object, ...]

LIMITS = st.dictionaries(
    st.sampled_from(["requests_per_day", "tokens_per_day", "requests_per_minute"]),
    st.integers(0, 3),
    min_size=1,
)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("agree"), LIMITS, st.integers(-3, 6), st.none() | st.integers(-2, 8)),
    st.tuples(st.just("end"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.integers(1, 4)),
    st.tuples(st.just("apply")),
)


@dataclass
class Note:
    """A line on paper: from one hour until another, these limits."""

    begins: int
    ends: int | None
    limits: Amounts


@dataclass
class Paper:
    """An account, and beside it what was agreed with it, by the hour."""

    subscription: Subscription
    hour: int = 0
    notes: list[tuple[Note, Override]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return NOON + timedelta(hours=self.hour)

    def take(self, step: Step) -> bool:
        """Whether what holds must be up to date afterwards."""
        name, *terms = step
        done: bool = getattr(self, str(name))(*terms)
        return done

    def agree(self, limits: Amounts, begins_in: int, lasts: int | None) -> bool:
        begins = self.hour + begins_in
        ends = None if lasts is None else begins + lasts
        given = {"starts_at": at(begins), "ends_at": None if ends is None else at(ends)}
        said = {"limits": limits, "reason": "a launch", "by": SYSTEM, **given}
        if ends is not None and ends <= max(begins, self.hour):
            with pytest.raises(ValidationError):
                Override.objects.agree(self.subscription, **said)
            return False
        override = Override.objects.agree(self.subscription, **said)
        self.notes.append((Note(begins, ends, limits), override))
        return True

    def end(self, which: int) -> bool:
        if which >= len(self.notes):
            return False
        note, override = self.notes[which]
        was_over = note.ends is not None and note.ends <= self.hour
        note.ends = note.ends if was_over else self.hour
        assert override.end(by=SYSTEM) is not was_over
        return not was_over

    def wait(self, hours: int) -> bool:
        self.hour += hours
        return False

    def apply(self) -> bool:
        overrides.apply()
        assert overrides.apply() == 0
        return True

    @property
    def expected(self) -> Amounts:
        held: Amounts = {}
        for note, _ in sorted(self.notes, key=lambda one: one[0].begins):  # stable: as agreed
            if note.begins <= self.hour and (note.ends is None or self.hour < note.ends):
                held.update(note.limits)
        return held


def at(hour: int) -> datetime:
    return NOON + timedelta(hours=hour)


def stored(subscription: Subscription) -> tuple[Amounts, int]:
    row = Subscription.objects.select_related("account").get(pk=subscription.pk)
    return row.limit_overrides, row.account.epoch


@pytest.mark.django_db
@given(st.lists(STEPS, max_size=12))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_holds_is_what_the_rows_and_the_moment_say(
    monkeypatch: pytest.MonkeyPatch, steps: list[Step]
) -> None:
    paper = Paper(make_account().subscription)
    monkeypatch.setattr(clock, "now", lambda: paper.now)

    for step in [*steps, ("apply",)]:
        before, epoch = stored(paper.subscription)
        is_current = paper.take(step)
        after, epoch_after = stored(paper.subscription)

        assert (epoch_after > epoch) == (after != before)
        assert after == (paper.expected if is_current else before)


@pytest.mark.django_db(transaction=True)
def test_several_workers_change_it_once() -> None:
    account = make_account()
    due(account)
    epoch = account.epoch

    with ThreadPoolExecutor(4) as workers:
        changed = list(workers.map(lambda _: in_a_thread(), range(8)))

    assert sum(changed) == 1
    assert stored(account.subscription) == ({"requests_per_day": 5}, epoch + 1)


@pytest.mark.django_db(transaction=True)
def test_what_is_agreed_while_a_worker_waits_is_not_undone_by_it() -> None:
    account = make_account()
    due(account)
    limits = {"tokens_per_day": 7}

    with ThreadPoolExecutor(1) as workers:
        with transaction.atomic():
            Subscription.objects.select_for_update().get(account=account)
            waiting = workers.submit(in_a_thread)
            until_somebody_waits()
            Override.objects.agree(account.subscription, limits=limits, reason="r", by=SYSTEM)
        waiting.result()

    assert stored(account.subscription)[0] == {"requests_per_day": 5, "tokens_per_day": 7}


def due(account: Account) -> None:
    """Something that was agreed and holds since a second ago, and was not applied yet."""
    Override.objects.create(
        subscription=account.subscription,
        limits={"requests_per_day": 5},
        reason="a launch",
        starts_at=clock.now() - timedelta(seconds=1),
        created_by="operator",
    )


def in_a_thread() -> int:
    try:
        return overrides.apply()
    finally:
        connection.close()


def until_somebody_waits() -> None:
    """Until another connection stands before a lock that this one holds."""
    asked = "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute(asked)
            if cursor.fetchone() != (0,):
                return
        sleep(0.05)
    raise AssertionError("nobody waits")
