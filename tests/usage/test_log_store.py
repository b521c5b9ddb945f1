"""However rare what is looked for, a page reads few rows, and looking on finds all there is."""

import random
import time
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.usage.calls import make_final
from usage import log_store, partitions, posting
from usage.log_store import Filters
from usage.long_kept import LongKept

pytestmark = pytest.mark.django_db
ALICE, BOB = 1, 2


def post(number: int, **fields: object) -> list[str]:
    """Calls of Alice, a second apart, the newest last."""
    now = time.time() - 100_000
    finals = [
        make_final(**{"account_id": ALICE, "started_at": now + second, **fields})
        for second in range(number)
    ]
    posting.post(finals)
    return [final.request_id for final in finals]


def found(filters: Filters, *, limit: int = 5, looks: int = 20) -> tuple[list[str], int]:
    """All that the pages show, and how many pages that were."""
    ids, pages, before = [], 0, None
    while True:
        page = log_store.page(ALICE, filters, before=before, limit=limit, looks=looks)
        ids += [row.request_id for row in page.rows]
        pages += 1
        if page.older is None:
            return ids, pages
        before = page.older


def test_a_page_ends_after_so_many_rows_and_says_how_far_it_came() -> None:
    [rare] = post(1, endpoint="embeddings")
    post(100, endpoint="chat/completions")

    page = log_store.page(ALICE, Filters(endpoint="embeddings"), looks=20)

    assert (page.rows, page.looked_back_to is not None) == ([], True)
    ids, pages = found(Filters(endpoint="embeddings"))
    assert ids == [rare]
    assert pages == 6


@pytest.mark.parametrize(
    "rare",
    [
        {"outcome": "upstream_error", "status_code": 502, "error_message": "The needle"},
        {"end_user": "u_1"},
        {"model": "rare"},
        {"api_key_id": 7},
    ],
)
def test_what_failed_and_whose_it_was_is_found_at_once(rare: dict[str, object]) -> None:
    long_ago = {"started_at": time.time() - 900_000}
    wanted = make_final(account_id=ALICE, **long_ago, **rare)
    posting.post([wanted])
    post(100)
    rare.pop("status_code", None)
    message = rare.pop("error_message", "")

    ids, pages = found(Filters(**rare, error="NEEDLE" if message else ""))  # type: ignore[arg-type]

    assert (ids, pages) == ([wanted.request_id], 1)


def test_filters_meet_each_row_once_however_few_a_page_may_read() -> None:
    wanted = post(30, end_user="u_1", model="a") + post(30, end_user="u_1", model="b")
    post(30, end_user="u_2", model="a")

    ids, _ = found(Filters(end_user="u_1"), limit=4, looks=7)
    some, _ = found(Filters(end_user="u_1", model="b"), limit=4, looks=7)

    assert sorted(ids) == sorted(wanted)
    assert sorted(some) == sorted(wanted[30:])


def test_the_number_that_the_sums_tell_is_exact_where_they_know_it_all() -> None:
    post(10, model="a")
    post(3, model="a", outcome="refused", status_code=429)
    long_ago = log_store.datetime.fromtimestamp(time.time() - 10**6, log_store.UTC)

    assert log_store.about(ALICE, Filters(model="a"), long_ago) == (13, True)
    assert log_store.about(ALICE, Filters(outcome="refused"), long_ago) == (3, True)
    assert log_store.about(ALICE, Filters(error="x"), long_ago) == (13, False)
    assert log_store.about(BOB, Filters(), long_ago) == (0, True)


def test_rows_are_found_in_whichever_class_and_on_whichever_day_they_lie() -> None:
    now = time.time()
    places = [(days, name) for days in (0, 1, 3, 20, 29) for name in partitions.DAYS_KEPT]
    finals = [
        make_final(account_id=ALICE, started_at=now - days * 86400 - n, retention_class=name)
        for n, (days, name) in enumerate([*places, (200, "extended")])
    ]
    posting.post(random.Random(1).sample(finals, len(finals)))

    ids, _ = found(Filters(), limit=2)
    same, _ = found(Filters(model="keyplex/echo", endpoint=""), limit=2)
    lately, _ = found(Filters(since=datetime.fromtimestamp(now - 5 * 86400, UTC)), limit=50)

    assert ids == same == [final.request_id for final in finals]
    assert lately == ids[:6]


def test_who_never_had_rows_that_are_kept_longer_is_looked_for_in_no_table_of_those() -> None:
    post(60)
    [late] = post(1, account_id=BOB, retention_class="extended")

    with CaptureQueriesContext(connection) as captured:
        log_store.page(ALICE, Filters(error="needle"))
        log_store.page(BOB, Filters(error="needle"))

    of_alice, *_, of_bob = [query["sql"] for query in captured if "requestlog" in query["sql"]]
    assert "extended" not in plan(of_alice)
    assert "extended" in plan(of_bob)
    assert set(LongKept.objects.values_list("account_id", flat=True)) == {BOB}
    assert [row.request_id for row in log_store.page(BOB).rows] == [late]


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor)


def test_what_was_never_called_is_not_looked_for_in_the_log() -> None:
    post(3)

    with CaptureQueriesContext(connection) as captured:
        page = log_store.page(ALICE, Filters(model="never"))

    assert page == log_store.Page([], None)
    assert not [query for query in captured if "usage_requestlog" in query["sql"]]
