"""Pages read sums, and the sums can be made again from the log."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.usage.calls import make_final
from usage import breakdown, log_store, partitions, posting, reports
from usage.audit import audit
from usage.breakdown import Slice
from usage.log_store import Cursor, Filters
from usage.models import RequestLog, UsageHour
from usage.rebuild import rebuild

pytestmark = pytest.mark.django_db(transaction=True)
ALICE, BOB = 1, 2
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
DAY = NOON.replace(hour=0)


@pytest.fixture
def log() -> None:
    """Three calls of Alice in two hours, one of Bob."""
    posting.post(
        [
            at(0, model="a", api_key_id=1, prompt_tokens=10, completion_tokens=5, latency_ms=100),
            at(59, model="b", api_key_id=2, completion_tokens=70, latency_ms=200, ttft_ms=50),
            at(60, model="a", api_key_id=1, outcome="refused", lease="", status_code=429),
            at(30, account_id=BOB, model="a", completion_tokens=1000),
        ]
    )


def at(minutes: int, **fields: object) -> posting.Final:
    moment = NOON + timedelta(minutes=minutes)
    return make_final(started_at=moment.timestamp(), **{"account_id": ALICE, **fields})


@pytest.mark.usefixtures("log")
def test_calls_of_a_key_since_a_moment_are_counted_to_the_minute() -> None:
    since = {
        minutes: reports.calls_since(ALICE, 1, NOON + timedelta(minutes=minutes))
        for minutes in (-90, 0, 1, 60, 61)
    }

    assert since == {-90: 2, 0: 2, 1: 1, 60: 1, 61: 0}


@pytest.mark.usefixtures("log")
def test_totals_are_of_one_account_and_one_period() -> None:
    whole = reports.totals(ALICE, DAY, DAY + timedelta(days=1))
    first_hour = reports.totals(ALICE, DAY, NOON + timedelta(hours=1))

    assert (whole.requests, whole.admitted, whole.ok, whole.refused, whole.tokens) == (
        *(3, 2, 2, 1),
        85,
    )
    assert first_hour.requests == 2
    assert reports.totals(ALICE, NOON + timedelta(days=1), NOON + timedelta(days=2)).requests == 0
    assert reports.tokens_on_day(ALICE, NOON.date()) == 85
    assert reports.requests_on_day(ALICE, NOON.date()) == 2


@pytest.mark.usefixtures("log")
def test_totals_by_model_and_key_begin_with_the_largest() -> None:
    period = (ALICE, DAY, DAY + timedelta(days=1))

    by_model, by_key = reports.by_model(*period), reports.by_key(*period)

    assert [(name, sums.tokens) for name, sums in by_model.items()] == [("b", 70), ("a", 15)]
    assert [(pk, sums.requests) for pk, sums in by_key.items()] == [(2, 1), (1, 2)]


@pytest.mark.usefixtures("log")
def test_a_chart_has_every_step_also_the_empty_ones() -> None:
    day, later = DAY + timedelta(days=1), DAY + timedelta(days=2)
    beginnings = list(reports.steps(DAY, day, "hour"))
    hours = breakdown.cells_over_time(Slice(ALICE, DAY, day), beginnings, "model", "api_key_id")
    days = breakdown.cells_over_time(Slice(ALICE, DAY, later), [DAY, day], "model")

    assert len(hours) == 24
    at_noon = breakdown.by_one(hours[NOON.hour], 0)
    assert {name: sums.tokens for name, sums in at_noon.items()} == {"a": 15, "b": 70}
    assert hours[NOON.hour + 2] == {}
    assert [sorted(models) for models in days] == [[("a",), ("b",)], []]


@pytest.mark.usefixtures("log")
def test_durations_are_those_of_answered_calls() -> None:
    latency = reports.latency(ALICE, DAY, DAY + timedelta(days=1))
    first_token = reports.time_to_first_token(ALICE, DAY, DAY + timedelta(days=1))

    assert latency.median is not None
    assert latency.p99 is not None
    assert 80 <= latency.median <= 130 < latency.p99 <= 260
    assert first_token.median is not None
    assert 40 <= first_token.median <= 65
    assert reports.latency(99, DAY, NOON) == reports.Durations(None, None, None)


def test_the_log_is_read_page_by_page_newest_first() -> None:
    finals = [at(minutes // 3) for minutes in range(10)]  # some began at the same moment
    posting.post(finals)
    seen, before = [], None

    while True:
        page = log_store.page(ALICE, before=before, limit=3)
        seen += [row.request_id for row in page.rows]
        if page.older is None:
            break
        before = Cursor.parse(str(page.older))

    newest_first = sorted(finals, key=lambda final: (final.started_at, final.request_id))[::-1]
    assert seen == [final.request_id for final in newest_first]


@pytest.mark.usefixtures("log")
def test_the_log_can_be_filtered() -> None:
    def found(**wanted: object) -> int:
        return len(log_store.page(ALICE, Filters(**wanted)).rows)  # type: ignore[arg-type]

    some = log_store.page(ALICE).rows[0]
    assert found() == 3
    assert found(model="a") == 2
    assert found(api_key_id=2) == 1
    assert found(outcome="refused") == found(status_code=429) == 1
    assert found(request_id=some.request_id) == 1
    assert found(request_id="nonsense") == 0
    assert found(since=NOON, until=NOON + timedelta(hours=1)) == 2
    assert found(end_user="nobody") == 0


@pytest.mark.usefixtures("log")
def test_a_stranger_does_not_find_the_row() -> None:
    row = RequestLog.objects.get(account_id=BOB)

    assert log_store.get(BOB, row.request_id) == row
    assert log_store.get(ALICE, row.request_id) is None


@pytest.mark.parametrize("text", ["", "~", "1e400~req_0", "nan~" + "req_" + "0" * 28, "1.0~x"])
def test_what_is_no_cursor_is_told(text: str) -> None:
    assert Cursor.parse(text) is None


@pytest.mark.usefixtures("log")
def test_an_audit_tells_where_the_rollups_are_wrong_and_a_rebuild_mends_them(
    tmp_path: Path,
) -> None:
    before = list(UsageHour.objects.order_by("pk").values_list("account_id", "hour", "requests"))
    UsageHour.objects.filter(account_id=ALICE, model="b").update(completion_tokens=71)
    UsageHour.objects.filter(account_id=BOB).delete()

    differences = audit(tmp_path)

    hour = f"{NOON:%Y-%m-%d %H}h"
    assert f"account {ALICE}, key 2, b, {hour}: completion_tokens is 70 by the log and 71" in (
        "\n".join(differences)
    )
    assert f"account {BOB}, key 1, a, {hour}: requests is 1 by the log and 0" in (
        "\n".join(differences)
    )
    assert not any(f"account {BOB}" in line for line in audit(tmp_path, account=ALICE))
    call_command("rebuild_rollups", verbosity=0)
    assert audit(tmp_path) == []
    after = UsageHour.objects.values_list("account_id", "hour", "requests")
    assert sorted(after) == sorted(before)


@pytest.mark.usefixtures("log")
def test_a_day_that_is_partly_forgotten_is_not_rebuilt() -> None:
    long_ago = NOON - timedelta(days=100)
    posting.post([make_final(started_at=long_ago.timestamp(), retention_class="extended")])
    UsageHour.objects.filter(hour__date=long_ago.date()).update(requests=5)

    assert long_ago.date() not in rebuild()
    assert rebuild([long_ago.date()]) == []
    assert UsageHour.objects.filter(requests=5).exists()


def test_an_audit_compares_the_counters_of_today(tmp_path: Path) -> None:
    posting.post([make_final(account_id=ALICE, completion_tokens=9)])

    def counters(account_id: int, day: date) -> int | None:
        assert day == partitions.today()
        return {ALICE: counted}.get(account_id)

    counted = 9
    assert audit(tmp_path, counters=counters) == []
    counted = 8
    [difference] = audit(tmp_path, counters=counters)
    assert difference.endswith("9 tokens by the rollups and 8 by the counter")
