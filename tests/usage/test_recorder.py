"""Each call becomes one row, whatever the record of it holds and whoever died meanwhile."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from tests.people import make_key
from tests.usage.calls import make_final, make_intent, new_id
from usage import partitions, reports
from usage.audit import audit
from usage.journal import Journal
from usage.models import RequestLog, UsageHour
from usage.recorder import LONGEST_CALL, Recorder, Settlement


def test_a_call_becomes_a_row_and_is_counted(
    journal: Journal, recorder: Recorder, account: int, directory: Path
) -> None:
    final = make_final(
        account_id=account,
        api_key_id=5,
        endpoint="chat/completions",
        requested_model="echo",
        provider="sandbox",
        prompt_tokens=12,
        completion_tokens=8,
        usage_source="provider",
        latency_ms=250,
        ttft_ms=40,
        streamed=True,
        ip="192.0.2.1",
        user_agent="curl",
        end_user="alice",
        attempts=1,
        decision=b'{"admitted": true}',
    )
    journal.finish(final)

    assert recorder.run_once() == 1

    row = RequestLog.objects.get(request_id=final.request_id)
    assert (row.account_id, row.api_key_id, row.model) == (account, 5, "keyplex/echo")
    assert (row.endpoint, row.requested_model, row.provider) == (
        "chat/completions",
        "echo",
        "sandbox",
    )
    assert row.started_at == datetime.fromtimestamp(final.started_at, UTC)
    assert (row.day, row.retention_class) == (row.started_at.date(), "standard")
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == (12, 8, 20)
    assert (row.latency_ms, row.ttft_ms, row.streamed, row.attempts) == (250, 40, True, 1)
    assert (row.ip, row.user_agent, row.end_user) == ("192.0.2.1", "curl", "alice")
    assert (row.admitted, row.decision) == (True, {"admitted": True})
    hour = UsageHour.objects.get(account_id=account)
    assert hour.hour == row.started_at.replace(minute=0, second=0, microsecond=0)
    assert (hour.api_key_id, hour.model, hour.requests, hour.admitted, hour.ok) == (
        *(5, "keyplex/echo"),
        *(1, 1, 1),
    )
    assert (hour.prompt_tokens, hour.completion_tokens) == (12, 8)
    assert (sum(hour.latency_histogram), sum(hour.ttft_histogram)) == (1, 1)
    assert audit(directory, account=account) == []


def test_a_key_knows_when_it_was_last_used_from_where_and_for_what(
    journal: Journal, recorder: Recorder
) -> None:
    key = make_key().api_key
    moments = [time.time() - 10, time.time() - 5, time.time() - 7]
    for number, started_at in enumerate(moments):
        used = {"ip": f"192.0.2.{number}", "model": f"model-{number}"}
        journal.finish(
            make_final(started_at=started_at, account_id=key.account_id, api_key_id=key.pk, **used)
        )

    recorder.run_once()

    key.refresh_from_db()
    assert key.last_used_at == datetime.fromtimestamp(max(moments), UTC)
    assert (key.last_used_ip, key.last_used_model) == ("192.0.2.1", "model-1")


def test_a_recorder_that_begins_again_stores_nothing_twice(
    journal: Journal, recorder: Recorder, directory: Path, account: int
) -> None:
    journal.intend(make_intent(account_id=account))  # runs on, so the segment stays
    journal.finish(make_final(account_id=account, completion_tokens=7))

    assert recorder.run_once() == 1
    assert recorder.run_once() == 0
    assert Recorder(directory).run_once() == 0

    assert UsageHour.objects.get(account_id=account).completion_tokens == 7


def test_the_calls_of_a_process_that_died_are_charged_for_what_was_delivered(
    directory: Path, account: int, transactional_db: None
) -> None:
    settled: list[Settlement] = []
    journal = Journal(directory)
    begun, silent, ended = (
        make_intent(account_id=account, lease=f"lease {name}", prompt_tokens=30)
        for name in ("begun", "silent", "ended")
    )
    slots = [journal.intend(intent) for intent in (begun, silent, ended)]
    journal.progress(slots[0], 55)
    journal.progress(slots[2], 99)
    end = make_final(ended.request_id, account_id=account, lease=ended.lease, completion_tokens=3)
    journal.finish(end, slots[2])
    journal.close()

    Recorder(directory, settled.extend).run_once()

    row = RequestLog.objects.get(request_id=begun.request_id)
    assert (row.outcome, row.status_code, row.usage_source) == ("interrupted", 500, "estimated")
    assert (row.prompt_tokens, row.completion_tokens) == (30, 55)
    assert RequestLog.objects.get(request_id=silent.request_id).total_tokens == 0
    assert RequestLog.objects.get(request_id=ended.request_id).outcome == "ok"
    assert sorted(settled) == [
        ("lease begun", account, 85),
        ("lease ended", account, 3),
        ("lease silent", account, 0),
    ]
    assert [path.name for path in directory.iterdir()] == ["recorder.lock"]
    assert audit(directory, account=account) == []


def test_reservations_are_settled_as_soon_as_that_is_possible(
    directory: Path, account: int, transactional_db: None
) -> None:
    settled: list[Settlement] = []
    away = True

    def settle(settlements: list[Settlement]) -> None:
        if away:
            raise ConnectionError("Redis is away")
        settled.extend(settlements)

    journal = Journal(directory)
    journal.progress(journal.intend(make_intent(account_id=account, lease="lease")), 5)
    journal.close()
    Recorder(directory, settle).run_once()
    recorder = Recorder(directory, settle)  # the first one was killed
    recorder.run_once()
    assert len(list(directory.iterdir())) == 3

    away = False
    recorder.run_once()

    assert settled == [("lease", account, 15)]
    assert len(list(directory.iterdir())) == 1


def test_a_call_of_a_living_process_is_given_up_after_a_long_time_only(
    journal: Journal, recorder: Recorder, account: int
) -> None:
    recent, ancient = (
        make_intent(account_id=account, started_at=time.time() - age)
        for age in (LONGEST_CALL - 60, LONGEST_CALL + 1)
    )
    journal.intend(recent)
    journal.intend(ancient)

    assert recorder.run_once() == 1
    assert RequestLog.objects.get(account_id=account).request_id == ancient.request_id


def test_a_day_without_a_table_gets_one(
    journal: Journal, recorder: Recorder, account: int, directory: Path
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=20)
    finals = [
        make_final(account_id=account, started_at=long_ago.timestamp(), retention_class=name)
        for name in ("standard", "extended", "unheard of")
    ]
    for final in finals:
        journal.finish(final)

    assert recorder.run_once() == 3

    assert ("extended", long_ago.date()) in partitions.existing()
    classes = RequestLog.objects.filter(account_id=account).values_list(
        "retention_class", flat=True
    )
    assert sorted(classes) == ["extended", "standard", "standard"]
    assert reports.tokens_on_day(account, long_ago.date()) == 0
    assert reports.requests_on_day(account, long_ago.date()) == 3
    assert audit(directory, account=account) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800", "?"),
        ("é\0\N{GRINNING FACE}", "é\N{REPLACEMENT CHARACTER}\N{GRINNING FACE}"),
        ("x" * 9000, "x" * 300),
        ("\N{GRINNING FACE}" * 400, "\N{GRINNING FACE}" * 300),
        ("'; DROP TABLE usage_requestlog; --", "'; DROP TABLE usage_requestlog; --"),
        ('{"a",NULL,\\}', '{"a",NULL,\\}'),
    ],
)
def test_any_text_can_be_stored(
    journal: Journal, recorder: Recorder, account: int, text: str, kept: str
) -> None:
    names = ["endpoint", "requested_model", "model", "provider", "outcome", "error_type"]
    names += ["error_code", "error_message", "usage_source", "ip", "user_agent", "end_user"]
    journal.finish(make_final(account_id=account, **dict.fromkeys(names, text)))

    assert recorder.run_once() == 1
    assert RequestLog.objects.get(account_id=account).user_agent == kept


@pytest.mark.parametrize(
    ("decision", "kept"),
    [
        (b"", {}),
        (b"{no json", {}),
        (b"\xff", {}),
        (rb'{"\u0000": ["a\u0000b", 1, null]}', {"\N{REPLACEMENT CHARACTER}": ["a�b", 1, None]}),
        (rb'{"a": "\ud800", "b": "\ud83d\ude00"}', {"a": "?", "b": "\N{GRINNING FACE}"}),
        (rb'{"a": "\\u0000"}', {"a": "\\u0000"}),
        (b'{"deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", {}),
        (b'{"huge": 1e999999}', {}),
        (b'{"tiny": 1e-999999}', {}),
        (b'{"not": NaN}', {}),
    ],
)
def test_any_decision_can_be_stored(
    journal: Journal, recorder: Recorder, account: int, decision: bytes, kept: object
) -> None:
    journal.finish(make_final(account_id=account, decision=decision))

    assert recorder.run_once() == 1
    assert RequestLog.objects.get(account_id=account).decision == kept


def test_numbers_beyond_all_measure_are_stored_as_the_largest_there_is(
    journal: Journal, recorder: Recorder, account: int
) -> None:
    huge = 2**62
    journal.finish(
        make_final(
            account_id=account, latency_ms=huge, ttft_ms=huge, attempts=huge, status_code=huge
        )
    )

    assert recorder.run_once() == 1
    assert RequestLog.objects.get(account_id=account).latency_ms == 2**31 - 1


def test_a_record_that_can_never_be_stored_is_put_aside_and_holds_nobody_up(
    journal: Journal, recorder: Recorder, account: int, directory: Path
) -> None:
    for _ in range(20):
        journal.finish(make_final(account_id=account))
    poison = make_final(account_id=account, api_key_id=2**63)
    journal.finish(poison)
    for _ in range(20):
        journal.finish(make_final(account_id=account))

    assert recorder.run_once() == 40

    assert poison.request_id in (directory / "rejected.jsonl").read_text()
    assert any("rejected" in difference for difference in audit(directory, account=account))


def test_a_damaged_segment_is_kept_for_somebody_to_look_at(
    journal: Journal, recorder: Recorder, account: int, directory: Path
) -> None:
    journal.finish(make_final(account_id=account))
    journal.finish(make_final(account_id=account))
    journal.close()
    [segment] = directory.glob("*.1")
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)

    assert recorder.run_once() == 1

    assert not segment.exists()
    [kept] = directory.glob("*.damaged")
    assert kept.read_bytes() == data
    assert audit(directory, account=account) == [f"{kept} holds records that could not be stored"]


def test_a_record_that_was_never_finished_is_forgotten(
    journal: Journal, recorder: Recorder, account: int, directory: Path
) -> None:
    journal.finish(make_final(account_id=account))
    journal.finish(make_final(account_id=account))
    journal.close()
    [segment] = directory.glob("*.1")
    segment.write_bytes(segment.read_bytes()[:-1])

    assert recorder.run_once() == 1
    assert [path.name for path in directory.iterdir()] == ["recorder.lock"]


def test_a_process_that_was_never_heard_of_again_leaves_nothing(
    recorder: Recorder, directory: Path
) -> None:
    directory.mkdir()
    (directory / "abc.live").write_bytes(b"")

    recorder.run_once()

    assert [path.name for path in directory.iterdir()] == ["recorder.lock"]


def test_the_same_request_in_two_journals_is_one_row(
    transactional_db: None, account: int, tmp_path: Path
) -> None:
    request_id, now = new_id(), time.time()
    for host in ("one", "two"):
        journal = Journal(tmp_path / host)
        journal.finish(make_final(request_id, started_at=now, account_id=account))
        journal.close()
        Recorder(tmp_path / host).run_once()

    assert UsageHour.objects.get(account_id=account).requests == 1


def test_the_model_knows_the_columns_that_the_table_has(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            " WHERE attrelid = 'usage_requestlog'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        table = {name: (type_, required) for name, type_, required in cursor}
    full = {"varchar": "character varying", "timestamptz": "timestamp with time zone"}
    fields = {
        field.column: (str(field.db_type(connection)), not field.null)
        for field in RequestLog._meta.concrete_fields
    }
    for short, long in full.items():
        fields = {
            name: (type_.replace(short, long), must) for name, (type_, must) in fields.items()
        }
    assert table == fields
