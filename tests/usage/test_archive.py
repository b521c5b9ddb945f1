"""A day of extended retention is forgotten only once all of it lies in the bucket."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from dashboard.instance import ROOT
from tests.gateway.site import database_url
from tests.usage.calls import make_final
from tests.usage.s3 import S3, Wire, s3_server
from tests.usage.test_partitions import forget_old_days
from usage import archive, partitions, posting, retention
from usage.bucket import Bucket
from usage.models import RequestLog

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("BUCKET", "PREFIX", "ENDPOINT", "ACCESS_KEY", "SECRET_KEY")


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(server: S3, settings, monkeypatch: pytest.MonkeyPatch) -> S3:  # type: ignore[no-untyped-def]
    """The server with an empty bucket, which the settings and other processes name."""
    forget_old_days()
    for key in server.objects():
        server.client().delete_object(Bucket=server.bucket, Key=key)
    values = (server.bucket, "keyplex/log", server.url, server.access_key, server.secret_key)
    for name, value in zip(NAMES, values, strict=True):
        setattr(settings, f"ARCHIVE_{name}", value)
        monkeypatch.setenv(f"KEYPLEX_ARCHIVE_{name}", value)
    return server


@pytest.fixture
def old_day() -> date:
    """A day of extended retention that should be gone."""
    return partitions.today() - timedelta(days=366)


def post(day: date, accounts: int = 3, rows: int = 5, **fields: object) -> list[posting.Final]:
    """So many rows of each account; in the order in which they are archived."""
    noon = datetime.combine(day, time_of_day(12), UTC).timestamp()
    finals = [
        make_final(
            started_at=noon + 60 * number + account / 8,
            account_id=account,
            **{"retention_class": "extended", "error_message": "so\nnot “good”"} | fields,
        )
        for account in range(1, accounts + 1)
        for number in range(rows)
    ]
    posting.post(finals)
    return finals


def archived(s3: S3) -> list[dict[str, object]]:
    """Every row that the manifests name, checked against what they say of it."""
    objects = s3.objects()
    manifests = [text for name, text in objects.items() if "/manifests/" in name]
    found = []
    for entry in (json.loads(line) for text in manifests for line in text.splitlines()):
        packed = objects[f"keyplex/log/{entry['path']}"]
        lines = gzip.decompress(packed)
        assert entry["bytes"] == len(packed)
        assert entry["sha256"] == hashlib.sha256(lines).hexdigest()
        rows = [json.loads(line) for line in lines.splitlines()]
        assert entry["rows"] == len(rows)
        assert {row["account_id"] for row in rows} == {entry["account_id"]}
        found += rows
    return found


def read(account: int, day: date) -> list[dict[str, object]]:
    out = StringIO()
    call_command("read_archive", str(account), day.isoformat(), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def is_there(day: date) -> bool:
    return ("extended", day) in partitions.existing()


def test_a_day_is_archived_whole_and_then_forgotten(s3: S3, old_day: date) -> None:
    finals = post(old_day)

    assert retention.prune() == [partitions.day_table("extended", old_day)]

    assert not RequestLog.objects.exists()
    assert [row["request_id"] for row in archived(s3)] == [final.request_id for final in finals]
    mine = read(2, old_day)
    assert [row["request_id"] for row in mine] == [final.request_id for final in finals[5:10]]
    assert mine[0]["error_message"] == "so\nnot “good”"
    assert read(4, old_day) == []


def test_days_of_other_classes_and_younger_days_are_not_archived(s3: S3, old_day: date) -> None:
    post(old_day + timedelta(days=1))
    post(partitions.today() - timedelta(days=31), retention_class="standard")

    assert len(retention.prune()) == 1

    assert s3.objects() == {}
    assert is_there(old_day + timedelta(days=1))


def test_an_empty_day_leaves_nothing_behind(s3: S3, old_day: date) -> None:
    partitions.create([("extended", old_day)])

    assert len(retention.prune()) == 1

    assert s3.objects() == {}


@pytest.mark.parametrize("what", ["ENDPOINT", "SECRET_KEY", "ACCESS_KEY", "BUCKET"])
def test_a_store_that_does_not_take_it_keeps_the_day_in_the_log(  # type: ignore[no-untyped-def]
    s3: S3, old_day: date, what: str, settings, caplog: pytest.LogCaptureFixture
) -> None:
    post(old_day)
    standard = partitions.today() - timedelta(days=31)
    post(standard, retention_class="standard")
    right = getattr(settings, f"ARCHIVE_{what}")
    wrong = "http://127.0.0.1:1" if what == "ENDPOINT" else "wrong"
    setattr(settings, f"ARCHIVE_{what}", wrong)

    assert retention.prune() == [partitions.day_table("standard", standard)]

    assert RequestLog.objects.count() == 15
    assert f"{old_day} (extended) stays until it is archived" in caplog.text
    with pytest.raises(CommandError, match=r"E001.*cannot be used"):
        call_command("check", "--deploy", "--tag", "archive")
    setattr(settings, f"ARCHIVE_{what}", right)
    assert len(retention.prune()) == 1
    assert len(archived(s3)) == 15


@pytest.mark.parametrize(
    "allowed", [300, 3000, *(pytest.param(n, marks=pytest.mark.t2) for n in (0, 1500, 6000))]
)
def test_a_line_that_breaks_loses_nothing(  # type: ignore[no-untyped-def]
    s3: S3, old_day: date, allowed: int, settings
) -> None:
    finals = post(old_day)

    with Wire(int(s3.url.rpartition(":")[2]), allowed) as wire:
        settings.ARCHIVE_ENDPOINT = wire.url
        assert retention.prune() == []
        settings.ARCHIVE_ENDPOINT = s3.url

    assert RequestLog.objects.count() == len(finals)
    assert len(retention.prune()) == 1
    assert [row["request_id"] for row in archived(s3)] == [final.request_id for final in finals]


def test_a_torn_object_is_found_and_mended(s3: S3, old_day: date) -> None:
    post(old_day)
    bucket = Bucket.from_settings()
    assert bucket is not None
    archive.keep(bucket, "extended", old_day)
    for key, whole in s3.objects().items():
        s3.client().put_object(Bucket=s3.bucket, Key=key, Body=whole[: len(whole) // 2])

    assert len(retention.prune()) == 1

    assert len(archived(s3)) == 15


@pytest.mark.parametrize(
    "objects", [5, *(pytest.param(n, marks=pytest.mark.t2) for n in (1, 20, 31))]
)
def test_a_process_killed_on_the_way_has_forgotten_nothing(
    s3: S3, old_day: date, objects: int
) -> None:
    finals = post(old_day, accounts=30, rows=2)
    names = (f"{old_day:%Y%m%d}", "usage_requestlog_extended")
    command = "from usage import retention; retention.prune()"
    environment = {**os.environ, "DATABASE_URL": database_url()}
    with partitions_locked(names[1]):  # so that it comes up to the drop and not further
        process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v0", "-c", command], cwd=ROOT, env=environment
        )
        while len(s3.objects()) < objects:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert RequestLog.objects.count() == len(finals)
    while not retention.prune():  # until PostgreSQL, too, knows that it is dead
        time.sleep(0.05)
    assert not is_there(old_day)
    assert [row["request_id"] for row in archived(s3)] == [final.request_id for final in finals]
    assert len(s3.objects()) == 31


def test_a_day_that_waits_is_not_archived_twice(s3: S3, old_day: date) -> None:
    post(old_day)
    with partitions_locked("usage_requestlog_extended"):
        assert retention.prune() == []
        before = s3.objects()
        assert len(before) == 4
        assert retention.prune() == []

    assert len(retention.prune()) == 1
    assert s3.objects() == before


def test_rows_that_come_late_join_those_in_the_archive(s3: S3, old_day: date) -> None:
    first = post(old_day)
    retention.prune()
    later = post(old_day, accounts=1, rows=2)
    posting.post(first[:1])  # a journal from long ago, replayed

    assert len(retention.prune()) == 1

    expected = sorted(final.request_id for final in [*first[:5], *later])
    assert sorted(str(row["request_id"]) for row in read(1, old_day)) == expected


def test_rows_that_come_between_archive_and_drop_keep_the_day(s3: S3, old_day: date) -> None:
    bucket = Bucket.from_settings()
    assert bucket is not None
    post(old_day)
    rows = archive.keep(bucket, "extended", old_day)
    post(old_day, accounts=1, rows=1)

    assert not partitions.drop("extended", old_day, rows=rows)

    assert is_there(old_day)


def test_days_that_wait_are_told(s3: S3, old_day: date, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check", "--deploy", "--tag", "archive")
    assert "W001" not in capsys.readouterr().err

    post(old_day - timedelta(days=1))
    call_command("check", "--deploy", "--tag", "archive")

    assert f"1 days wait to be archived, the oldest is {old_day - timedelta(days=1)}" in (
        capsys.readouterr().err
    )


def test_without_a_bucket_there_is_nothing_to_read() -> None:
    with pytest.raises(CommandError, match="KEYPLEX_ARCHIVE_BUCKET"):
        call_command("read_archive", "1", "2026-01-01")


class partitions_locked:  # noqa: N801, reads like a verb
    """Somebody reads a table for long, in another connection."""

    def __init__(self, table: str) -> None:
        self._table = table

    def __enter__(self) -> None:
        self._connection = connection.copy()
        with self._connection.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {self._table} IN ACCESS SHARE MODE")

    def __exit__(self, *_: object) -> None:
        self._connection.close()
