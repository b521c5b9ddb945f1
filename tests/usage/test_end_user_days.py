"""The sums of end users by the day say what those by the hour say, whatever is asked of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.calls import make_final
from usage import breakdown, posting, reports
from usage.audit import audit
from usage.breakdown import Group, Slice
from usage.models import EndUserDay, EndUserHour
from usage.rebuild import rebuild
from usage.records import Final
from usage.reports import Totals
from usage.rollups import COUNTS

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=6)
_accounts = count(2_000_000)
calls = st.lists(
    st.tuples(
        st.integers(0, 5 * 24 * 60 - 1),  # minutes after the first midnight
        st.sampled_from(["", "ada", "ben", "cleo"]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 1000),
    ),
    min_size=1,
    max_size=30,
)


def final(account: int, minutes: int, end_user: str, model: str = "a", tokens: int = 1) -> Final:
    moment = DAY + timedelta(minutes=minutes)
    return make_final(
        started_at=moment.timestamp(),
        account_id=account,
        end_user=end_user,
        model=model,
        completion_tokens=tokens,
        prompt_tokens=0,
    )


def by_the_hour(part: Slice) -> Mapping[Group, Totals]:
    found: dict[Group, Totals] = {}
    rows = EndUserHour.objects.filter(
        account_id=part.account_id, hour__gte=part.start, hour__lt=part.end, **part.only
    )
    for row in rows:
        sums = Totals(*(getattr(row, name) for name in COUNTS))
        found[row.name] = found.get(row.name, Totals()) + sums
    whole = reports.totals(part.account_id, part.start, part.end, part.only)
    nameless = whole - sum(found.values(), Totals())
    return found | ({None: nameless} if nameless.requests else {})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    earlier=calls,
    late=calls,
    start=st.integers(-30, 5 * 24),
    hours=st.integers(1, 6 * 24),
    model=st.sampled_from(["", "a"]),
)
def test_days_and_the_hours_around_them_are_the_hours(
    earlier: list[tuple[int, str, str, int]],
    late: list[tuple[int, str, str, int]],
    start: int,
    hours: int,
    model: str,
) -> None:
    account = next(_accounts)
    for some in (earlier, late):
        posting.post([final(account, *one) for one in some])
    begin = DAY + timedelta(hours=start)
    part = Slice(account, begin, begin + timedelta(hours=hours), {"model": model} if model else {})

    found = breakdown.groups(part, "end_user")

    assert found == by_the_hour(part)
    tokens = [totals.tokens for name, totals in found.items() if name is not None]
    assert tokens == sorted(tokens, reverse=True)
    largest = breakdown.groups(part, "end_user", 1)
    assert len(largest) <= 2
    assert largest.get(None) == found.get(None)


def test_a_whole_day_is_read_from_few_rows() -> None:
    account = next(_accounts)
    posting.post([final(account, 60 * hour, "ada") for hour in range(24)])
    EndUserHour.objects.filter(account_id=account).delete()

    found = breakdown.groups(Slice(account, DAY, DAY + timedelta(days=1)), "end_user")

    assert EndUserDay.objects.filter(account_id=account).count() == 1
    assert found["ada"].requests == 24


def test_the_audit_tells_a_wrong_sum_of_a_day_and_a_rebuild_mends_it(tmp_path: Path) -> None:
    account = next(_accounts)
    posting.post([final(account, minutes, "ada") for minutes in (0, 90)])
    EndUserDay.objects.filter(account_id=account).update(requests=1)

    wrong = audit(tmp_path, account=account)
    rebuild([DAY.date()])

    assert len(wrong) == 1
    assert "ada" in wrong[0]
    assert audit(tmp_path, account=account) == []
