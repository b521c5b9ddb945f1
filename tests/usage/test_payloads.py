"""What was captured is seen by its account only, and forgotten on its day."""

import time
from datetime import timedelta

import pytest
from django.db import connection

from tests.usage.calls import make_final, new_id
from usage import payloads
from usage.journal import Journal, Payload
from usage.models import RequestLog
from usage.partitions import today
from usage.recorder import Recorder

pytestmark = pytest.mark.django_db(transaction=True)
ALICE, BOB = 1, 2
DAY = 86_400


@pytest.fixture(autouse=True)
def _no_days() -> None:
    for day in payloads.existing():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {payloads.day_table(day)}")


def make_payload(*, days: int = 3, days_ago: float = 0, **fields: object) -> Payload:
    started_at = time.time() - days_ago * DAY
    given = {"account_id": ALICE, "request": '{"a": 1}', "response": "b", **fields}
    return Payload(new_id(started_at), started_at, days=days, **given)  # type: ignore[arg-type]


def test_a_payload_is_stored_once_and_found_by_its_account() -> None:
    payload = make_payload()

    payloads.store([payload])
    payloads.store([payload])

    found = payloads.get(ALICE, payload.request_id)
    assert found
    assert (found.request, found.response) == ('{"a": 1}', "b")
    assert payloads.get(BOB, payload.request_id) is None
    assert payloads.get(ALICE, "req_nonsense") is None


@pytest.mark.parametrize("days", [1, 3, 7])
def test_each_is_kept_for_its_days_and_then_dropped(days: int) -> None:
    kept, over = (make_payload(days=days, days_ago=ago) for ago in (days, days + 1))
    payloads.store([kept, over])

    assert payloads.get(ALICE, kept.request_id)
    assert payloads.get(ALICE, over.request_id) is None
    assert payloads.prune() == []


def test_a_day_is_dropped_whole_and_not_seen_before() -> None:
    payload = make_payload(days=1)
    payloads.store([payload])
    with connection.cursor() as cursor:
        [day] = payloads.existing()
        table, gone = payloads.day_table(day), payloads.day_table(today())
        cursor.execute(f"ALTER TABLE {payloads.TABLE} DETACH PARTITION {table}")
        cursor.execute(f"UPDATE {table} SET forget_on = %s", [today()])
        cursor.execute(f"ALTER TABLE {table} RENAME TO {gone}")
        cursor.execute(
            f"ALTER TABLE {payloads.TABLE} ATTACH PARTITION {gone} FOR VALUES FROM (%s) TO (%s)",
            [today(), today() + timedelta(1)],
        )

    assert payloads.get(ALICE, payload.request_id) is None
    assert payloads.prune() == [gone]
    assert payloads.existing() == []


def test_it_travels_through_the_journal_and_holds_up_no_call(
    journal: Journal, recorder: Recorder
) -> None:
    good = make_payload(request="with \x00 and \ud800")
    journal.note(good)
    journal.note(make_payload(account_id=2**63))
    journal.finish(make_final(good.request_id, account_id=ALICE))
    journal.close()

    assert recorder.run_once() == 1

    assert RequestLog.objects.filter(request_id=good.request_id).exists()
