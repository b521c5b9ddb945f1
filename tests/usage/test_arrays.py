"""What is written as an array comes back from PostgreSQL as it was."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.naughty_strings import NAUGHTY
from usage.arrays import array
from usage.posting import clean

pytestmark = pytest.mark.django_db
texts = st.text().map(lambda text: clean(text, 200))
unhurried = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200
)


def read_back(values: list[object], kind: str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [array(values)])
        [[found]] = cursor.fetchall()
    return list(found)


@unhurried
@given(values=st.lists(texts, min_size=1))
def test_texts_of_any_kind(db: None, values: list[object]) -> None:
    assert read_back(values, "text") == values


def test_texts_that_have_broken_programs(db: None) -> None:
    values: list[object] = [clean(text, 2000) for text in NAUGHTY]
    assert read_back([*values, "NULL", "null", "{}", ",", '"', "\\", " x "], "text") == [
        *values,
        *("NULL", "null", "{}", ",", '"', "\\", " x "),
    ]


@unhurried
@given(values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_numbers_and_none(db: None, values: list[object]) -> None:
    assert read_back(values, "bigint") == values


@unhurried
@given(seconds=st.lists(st.floats(0, 10**10), min_size=1))
def test_moments(db: None, seconds: list[float]) -> None:
    moments: list[object] = [datetime.fromtimestamp(second, UTC) for second in seconds]
    assert read_back(moments, "timestamptz") == moments


def test_truth(db: None) -> None:
    assert read_back([True, False], "boolean") == [True, False]
