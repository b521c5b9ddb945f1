"""End users and errors are summed by name, and a client that invents names fills no table."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.calls import make_final
from usage import posting
from usage.audit import audit
from usage.models import EndUserHour, ErrorHour, RequestLog, UsageHour
from usage.records import Final
from usage.rollups import MOST_NAMES

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
_accounts = count(1_000_000)


def call(account: int, **fields: Any) -> Final:
    return make_final(started_at=NOON.timestamp(), account_id=account, **fields)


def named(account: int) -> dict[str, int]:
    rows = EndUserHour.objects.filter(account_id=account)
    return {row["name"]: row["sum"] for row in rows.values("name").annotate(sum=Sum("requests"))}


def test_calls_are_counted_for_the_end_user_whom_they_name() -> None:
    account = next(_accounts)

    posting.post([call(account, end_user="ada", prompt_tokens=7), call(account, end_user="ada")])
    posting.post([call(account, end_user="ada"), call(account)])

    assert named(account) == {"ada": 3}
    assert EndUserHour.objects.get(account_id=account).prompt_tokens == 7


def test_errors_are_counted_by_outcome_and_code() -> None:
    account = next(_accounts)
    refused = {"outcome": "refused", "error_type": "rate_limit_error"}

    posting.post(
        [
            *(call(account, **refused, error_code="quota_exceeded") for _ in range(2)),
            call(account, **refused),
            call(account, outcome="client_disconnect"),
            call(account),
        ]
    )

    rows = ErrorHour.objects.filter(account_id=account).values_list("name", "requests")
    assert dict(rows) == {
        "refused:quota_exceeded": 2,
        "refused:rate_limit_error": 1,
        "client_disconnect": 1,
    }


def test_a_client_that_invents_end_users_gets_no_more_rows_than_others(tmp_path: Path) -> None:
    account = next(_accounts)
    regular = [call(account, end_user="regular") for _ in range(3)]
    invented = [call(account, end_user=f"user {n}", completion_tokens=n) for n in range(400)]

    posting.post([*invented[:150], regular[0]])
    posting.post([*invented[150:], regular[1]])
    posting.post([*invented, regular[2], call(account, end_user="late")])

    kept = named(account)
    assert len(kept) == MOST_NAMES + 1
    assert kept["regular"] == 3
    assert sum(kept.values()) == 404
    assert audit(tmp_path, account=account) == []


def test_two_recorders_at_once_agree_on_whom_they_name(tmp_path: Path) -> None:
    account = next(_accounts)
    together = Barrier(2)

    def record(host: int) -> None:
        for start in range(0, 300, 50):
            names = [f"user {(n * (1 + 6 * host)) % 300}" for n in range(start, start + 50)]
            together.wait()
            posting.post([call(account, end_user=name) for name in names])
        connection.close()

    with ThreadPoolExecutor(2) as hosts:
        list(hosts.map(record, range(2)))

    assert sum(named(account).values()) == 600
    assert len(named(account)) == MOST_NAMES + 1
    assert audit(tmp_path, account=account) == []


def test_a_rebuild_finds_the_same_sums(tmp_path: Path) -> None:
    account = next(_accounts)
    finals = [call(account, end_user=f"user {n % 300}", completion_tokens=n) for n in range(600)]
    posting.post(finals)
    EndUserHour.objects.filter(account_id=account).delete()
    UsageHour.objects.filter(account_id=account).update(generated_tokens=5)
    assert audit(tmp_path, account=account)

    call_command("rebuild_rollups", str(NOON.date()), verbosity=0)

    assert audit(tmp_path, account=account) == []
    assert sum(named(account).values()) == 600


def test_speed_is_measured_from_the_first_token_to_the_end_of_a_streamed_answer() -> None:
    account = next(_accounts)
    timed = {"latency_ms": 1100, "ttft_ms": 100, "completion_tokens": 51}

    posting.post(
        [
            call(account, streamed=True, **timed),
            call(account, streamed=False, **timed),
            call(account, streamed=True, outcome="interrupted", **timed),
            call(account, streamed=True, latency_ms=100, ttft_ms=100, completion_tokens=9),
            call(account, streamed=True, latency_ms=100, ttft_ms=50, completion_tokens=1),
        ]
    )

    hour = UsageHour.objects.get(account_id=account)
    assert (hour.generated_tokens, hour.generation_ms) == (50, 1000)


final = st.fixed_dictionaries(
    {
        "api_key_id": st.integers(1, 3),
        "model": st.sampled_from(["", "a", "b"]),
        "endpoint": st.sampled_from(["", "chat/completions", "embeddings"]),
        "end_user": st.sampled_from(["", "ada", "bob", *(f"user {n}" for n in range(9))]),
        "outcome": st.sampled_from(["ok", "refused", "upstream_error", "client_error", "strange"]),
        "error_code": st.sampled_from(["", "quota_exceeded", "upstream_error"]),
        "prompt_tokens": st.integers(0, 2000),
        "completion_tokens": st.integers(0, 2000),
        "latency_ms": st.integers(0, 4000),
        "ttft_ms": st.none() | st.integers(0, 4000),
        "streamed": st.booleans(),
        "lease": st.sampled_from(["", "reserved"]),
    }
)


@given(batches=st.lists(st.lists(final, max_size=8), max_size=6), again=st.randoms())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rows_and_rollups_tell_the_same_however_calls_arrive(
    batches: list[list[dict[str, Any]]], again: Any
) -> None:
    account = next(_accounts)
    posted = [[call(account, **fields) for fields in batch] for batch in batches]

    for batch in posted:
        if batch:
            posting.post(batch)
            posting.post(again.sample(batch, len(batch)))  # a recorder that began again

    assert audit(Path("/nonexistent"), account=account) == []
    rows = RequestLog.objects.filter(account_id=account)
    users = Counter(rows.exclude(end_user="").values_list("end_user", flat=True))
    assert named(account) == users
    failed = ErrorHour.objects.filter(account_id=account).aggregate(n=Sum("requests", default=0))
    assert failed["n"] == rows.exclude(outcome="ok").count()


def test_going_back_makes_one_row_of_all_endpoints() -> None:
    account = next(_accounts)
    where = {"model": "a", "latency_ms": 100}
    posting.post([call(account, endpoint=name, **where) for name in ("completions", "embeddings")])

    call_command("migrate", "usage", "0001", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT requests, latency_histogram FROM usage_usagehour WHERE account_id = %s",
            [account],
        )
        [(requests, histogram)] = cursor.fetchall()
    call_command("migrate", "usage", verbosity=0)

    assert (requests, sum(histogram)) == (2, 2)
    assert UsageHour.objects.get(account_id=account).endpoint == ""
