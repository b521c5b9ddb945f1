"""There always is a table for tomorrow, and a day is forgotten at once and on time."""

from datetime import datetime, time, timedelta

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests.usage.calls import make_final
from usage import partitions, posting, retention
from usage.models import RequestLog
from usage.partitions import today

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_old_days() -> None:
    forget_old_days()


def forget_old_days() -> None:
    for retention_class, day in partitions.existing():
        if day < today():
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {partitions.day_table(retention_class, day)}")


def post(retention_class: str, days_ago: int) -> None:
    day = today() - timedelta(days=days_ago)
    noon = datetime.combine(day, time(12)).astimezone()
    posting.post([make_final(started_at=noon.timestamp(), retention_class=retention_class)])


def test_the_days_to_come_have_tables() -> None:
    partitions.create_ahead()
    partitions.create_ahead()

    days = [today() + timedelta(days=ahead) for ahead in range(8)]
    expected = [(name, day) for name in ("extended", "standard") for day in days]
    assert partitions.existing() == expected


def test_each_class_is_kept_for_its_time() -> None:
    for retention_class, days_ago in [
        *(("standard", 30), ("standard", 31), ("extended", 31)),
        *(("extended", 365), ("extended", 366)),
    ]:
        post(retention_class, days_ago)

    dropped = retention.prune()

    assert dropped == [
        partitions.day_table("extended", today() - timedelta(days=366)),
        partitions.day_table("standard", today() - timedelta(days=31)),
    ]
    kept = RequestLog.objects.order_by("day").values_list("retention_class", "day")
    assert list(kept) == [
        ("extended", today() - timedelta(days=365)),
        ("extended", today() - timedelta(days=31)),
        ("standard", today() - timedelta(days=30)),
    ]


def test_a_reader_is_not_waited_for() -> None:
    post("standard", 31)
    params = connection.get_connection_params()
    known = {
        name: params[name] for name in ("host", "port", "user", "password") if params.get(name)
    }
    with psycopg.connect(**known, dbname=params["dbname"]) as reader:
        reader.execute("SELECT count(*) FROM usage_requestlog")

        assert retention.prune() == []

    assert len(retention.prune()) == 1


def test_a_request_is_looked_for_on_its_day_only() -> None:
    partitions.create_ahead()
    request_id = make_final().request_id

    plan = RequestLog.objects.named(request_id).explain()

    tables = {name for name in plan.split() if name.startswith(f"{partitions.TABLE}_standard_")}
    assert 0 < len([name for name in tables if not name.endswith("pkey")]) <= 3


@pytest.mark.parametrize("text", ["", "req_", "x" * 32, "req_" + "f" * 28, "req_" + "0" * 28])
def test_what_is_no_request_id_is_not_found(text: str) -> None:
    assert not RequestLog.objects.named(text).exists()


def test_the_migration_goes_back_and_forth() -> None:
    post("standard", 3)

    call_command("migrate", "usage", "zero", verbosity=0)
    assert "usage_requestlog" not in connection.introspection.table_names()
    call_command("migrate", "usage", verbosity=0)

    post("standard", 3)
    assert RequestLog.objects.count() == 1
