"""Whatever stands in the address of a page, it is answered, and never with an error of ours."""

from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dashboard.conftest import Scene, part

PATHS = ["/usage", "/usage.csv", "/logs", "/logs/export", "/overview", "/audit"]
NAMES = [
    *("range", "start", "end", "by", "q", "outcome", "status", "model", "key"),
    *("before", "open", "seen", "page", "after", "acts", "actor", "verify"),
    *("show", "zone", "endpoint", "error"),
]
LIKELY = [
    *("", "24h", "custom", "2026-11-23T10:00", "2026-02-30", "0001-01-01", "9999-12-31T23:59:59"),
    *("-1", "1e999", "99999999999999999999", "nan~req_" + "0" * 28, "0~req_" + "0" * 28),
    *("-99999999999~req_" + "0" * 28, "inf~req_" + "0" * 28, "req_0" + "f" * 27, "\x00", "\ud800"),
    *("user", "endpoint", "Asia/Kolkata", "../UTC", "requests"),
    *("12026-01-01T00:00", "2026-01-01T00:00+99:00", "' OR 1=1 --", "%00", "²", "٣"),
]
values = st.one_of(st.sampled_from(LIKELY), st.text(max_size=40))
queries = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=6)
relaxed = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def encoded(query: list[tuple[str, str]]) -> str:
    return urlencode(query, errors="surrogatepass", quote_via=quote)


@pytest.mark.parametrize(
    "path", ["/usage", "/usage.csv", "/logs", "/logs/export", "/overview", "/audit"]
)
@relaxed
@given(query=queries)
def test_a_page_answers_every_query(scene: Scene, path: str, query: list[tuple[str, str]]) -> None:
    answer = scene.owner.get(f"{path}?{encoded(query)}")

    assert answer.status_code in {200, 422}


@relaxed
@given(query=queries, target=st.sampled_from(["rows", "logs", "x"]))
def test_a_part_of_a_page_answers_every_query(
    scene: Scene, query: list[tuple[str, str]], target: str
) -> None:
    answer = scene.owner.get(f"/logs?{encoded(query)}", headers=part(target))

    assert answer.status_code in {200, 204, 422}


@relaxed
@given(request_id=st.text(min_size=1, max_size=50))
def test_a_request_that_cannot_be_is_not_found(scene: Scene, request_id: str) -> None:
    answer = scene.owner.get("/logs/" + quote(request_id, safe="", errors="surrogatepass"))

    assert answer.status_code == 404
