"""Every request can be found, by those whose it is, exactly once, with the reason of its end."""

import json
import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.dashboard.conftest import Scene, part, text_of
from usage.models import RequestLog

STANDING = 2  # queries for the foot of the navigation while Redis knows nothing of the account
EVERY_PAGE = ["/overview", "/usage", "/logs"]


def ids_on(page: bytes) -> list[str]:
    """The requests that a page lists, in its order."""
    return re.findall(r'id="row-(req_\w+)"', page.decode())


def link(page: bytes, rel: str) -> str:
    """Where the page's link to the next or the previous one leads; empty if there is none."""
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page.decode())
    return "/logs" + found[1].replace("&amp;", "&") if found else ""


def test_a_colleague_sees_what_the_owner_sees_and_a_stranger_nothing(scene: Scene) -> None:
    mine = scene.call(end_user="u_77")

    assert ids_on(scene.owner.get("/logs").content) == [mine]
    assert ids_on(scene.colleague.get("/logs").content) == [mine]
    assert ids_on(scene.stranger.get("/logs").content) == []
    assert scene.owner.get(f"/logs/{mine}").status_code == 200
    assert scene.colleague.get(f"/logs/{mine}").status_code == 200
    assert scene.stranger.get(f"/logs/{mine}").status_code == 404


def test_no_way_of_asking_shows_a_stranger_anything(scene: Scene) -> None:
    mine = scene.call(model="secret-model", end_user="u_77", user_agent="our-agent")
    queries = [f"open={mine}", f"q={mine}", "q=u_77", f"key={scene.key.api_key.pk}", "range=30d"]

    pages = [scene.stranger.get(f"/logs?{query}").content.decode() for query in queries]

    for page in pages:
        assert "secret-model" not in page
        assert "our-agent" not in page
    assert "No such request" in pages[0]


def test_an_id_that_never_was_is_not_found(scene: Scene) -> None:
    for request_id in ("req_0", "req_" + "0" * 28, "nonsense", "req_0'--"):
        assert scene.owner.get(f"/logs/{request_id}").status_code == 404


def test_walking_down_and_up_meets_every_row_exactly_once(scene: Scene) -> None:
    newest_first = scene.calls(120)[::-1]

    page = scene.owner.get("/logs").content
    down = [ids_on(page)]
    while older := link(page, "next"):
        page = scene.owner.get(older).content
        down.append(ids_on(page))
    up = [down[-1]]
    while newer := link(page, "prev"):
        page = scene.owner.get(newer).content
        up.append(ids_on(page))

    assert [request_id for ids in down for request_id in ids] == newest_first
    assert [len(ids) for ids in down] == [50, 50, 20]
    assert up == down[::-1]


def test_rows_of_the_same_moment_are_not_lost_between_pages(scene: Scene) -> None:
    calls = scene.calls(60, started_at=time.time() - 5)

    first = scene.owner.get("/logs").content
    second = scene.owner.get(link(first, "next")).content

    assert sorted(ids_on(first) + ids_on(second)) == sorted(calls)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("model=a", ["a"]),
        ("outcome=refused", ["b"]),
        ("status=499", ["c"]),
        ("q=u_77", ["c"]),
        ("status=4xx", ["b", "c"]),
        ("status=5XX", []),
        ("status=2xx", ["a"]),
        ("endpoint=embeddings", ["a"]),
        ("error=PER+minute", ["b"]),
        ("error=100%25", ["b"]),
        ("error=100_", []),
        ("error=rate_limited", ["b"]),
        ("q=u_77&status=4xx&outcome=client_disconnect", ["c"]),
        ("q=u_77&error=minute", []),
        ("outcome=refused&model=a", []),
        ("outcome=refused&model=b&status=429&endpoint=chat/completions&range=24h", ["b"]),
        ("range=1h", ["a", "b", "c"]),
        ("start=2020-01-02T00:00&end=2020-01-03T00:00", []),
    ],
)
def test_a_filter_shows_what_it_says(scene: Scene, query: str, found: list[str]) -> None:
    calls = {
        "a": scene.call(model="a", endpoint="embeddings"),
        "b": scene.call(
            model="b",
            outcome="refused",
            status_code=429,
            error_code="rate_limited",
            error_message="100% of the tokens per minute are used.",
        ),
        "c": scene.call(model="c", outcome="client_disconnect", status_code=499, end_user="u_77"),
    }

    page = scene.owner.get(f"/logs?{query}").content

    assert sorted(ids_on(page)) == sorted(calls[name] for name in found)


def test_a_request_is_found_by_its_id(scene: Scene) -> None:
    wanted, _ = scene.calls(2)

    page = scene.owner.get("/logs", {"q": f" {wanted} "}).content

    assert ids_on(page) == [wanted]


def test_a_filter_stays_on_the_way_to_older_rows(scene: Scene) -> None:
    wanted = scene.calls(60, model="wanted")
    scene.calls(60, model="other")

    page = scene.owner.get("/logs?model=wanted").content
    older = scene.owner.get(link(page, "next")).content

    assert ids_on(page) + ids_on(older) == wanted[::-1]


def test_nothing_yet_is_not_the_same_as_nothing_matches(scene: Scene) -> None:
    before = text_of(scene.owner.get("/logs"))
    scene.call()
    filtered = text_of(scene.owner.get("/logs?model=never-called"))

    assert "Nothing yet" in before
    assert "Nothing matches" in filtered


def test_a_filter_that_makes_no_sense_is_explained(scene: Scene) -> None:
    scene.call()

    answer = scene.owner.get("/logs?outcome=splendid&status=7")

    assert answer.status_code == 422
    assert "There is no outcome “splendid”." in text_of(answer)
    assert ids_on(answer.content) == []


def test_the_list_asks_again_and_is_answered_only_when_something_is_new(scene: Scene) -> None:
    first = scene.call()

    same = scene.owner.get(f"/logs?seen={first}", headers=part("rows"))
    second = scene.call()
    new = scene.owner.get(f"/logs?seen={first}", headers=part("rows"))

    assert (same.status_code, same.content) == (204, b"")
    assert ids_on(new.content) == [second, first]
    assert b"<html" not in new.content


def test_only_the_first_page_of_what_goes_on_is_alive(scene: Scene) -> None:
    scene.calls(51)

    first = scene.owner.get("/logs").content
    filtered = scene.owner.get("/logs?outcome=ok").content

    assert b"data-live" in first
    assert b'hx-get="?outcome=ok&amp;seen=' in filtered
    assert b"data-live" not in scene.owner.get(link(first, "next")).content
    over = "/logs?start=2026-01-01T00:00&end=2026-02-01T00:00"
    assert b"data-live" not in scene.owner.get(over).content


def test_htmx_gets_the_list_alone_and_a_url_to_share(scene: Scene) -> None:
    scene.call(model="a")

    answer = scene.owner.get("/logs?q=&model=a&outcome=&key=", headers=part("logs"))

    assert answer["HX-Push-Url"] == "/logs?model=a"
    assert b"<html" not in answer.content


def test_a_refusal_says_which_limit_how_far_and_when_it_would_have_passed(scene: Scene) -> None:
    now = int(time.time())
    limit = {"limit": 500_000}
    minute = {"name": "tokens_per_minute", "used": 487_120, "remaining": 12_880}
    day = {"name": "tokens_per_day", "used": 490_000, "remaining": 9_510_000}
    limits = [
        {**limit, **minute, "asked": 31_500, "reset": now + 14, "passes_at": now + 14},
        {**limit, **day, "asked": 31_500, "reset": now + 3600, "limit": 10**7},
    ]
    decision = json.dumps({"admitted": False, "limits": limits}).encode()
    refused = scene.call(
        outcome="refused", status_code=429, started_at=float(now), decision=decision, lease=""
    )

    page = text_of(scene.owner.get(f"/logs/{refused}"))

    assert "429 refused Tokens per minute" in page
    assert "after 14.0 s" in page
    assert "one of up to 12,880 tokens" in page
    assert "exceeded" in page
    assert "9,510,000" in page


def test_the_routes_that_were_tried_are_told(scene: Scene) -> None:
    routes = [
        {"provider": "openai", "outcome": "not configured"},
        {"provider": "openrouter", "outcome": "answered"},
    ]
    request = scene.call(
        decision=json.dumps({"admitted": True, "limits": [], "routes": routes}).encode(),
        usage_source="provider",
        ttft_ms=412,
        latency_ms=1900,
        streamed=True,
    )

    page = text_of(scene.owner.get(f"/logs/{request}"))

    assert "openai not configured openrouter answered" in page
    assert "First token 412 ms Ended 1.9 s" in page
    assert "as the provider counted them" in page
    assert "1.9 s first token after 412 ms" in page
    assert "streamed" in page


@pytest.mark.parametrize("decision", [b"{}", b"[]", b'{"limits": 3}', b'{"routes": [{"x": 1}]}'])
def test_a_decision_of_another_version_breaks_no_page(scene: Scene, decision: bytes) -> None:
    request = scene.call(decision=decision, outcome="refused", status_code=429)

    assert scene.owner.get(f"/logs/{request}").status_code == 200
    assert scene.owner.get(f"/logs?open={request}").status_code == 200


def test_an_unknown_outcome_and_a_deleted_key_are_shown_as_they_are(scene: Scene) -> None:
    request = scene.call(outcome="new_kind", api_key_id=10**6)

    page = text_of(scene.owner.get(f"/logs/{request}"))

    assert "new_kind" in page
    assert "a deleted key" in page


def test_what_a_client_sends_is_never_markup(scene: Scene) -> None:
    script = "<script>alert(1)</script>"
    request = scene.call(model=script, user_agent=script, end_user=script, error_message=script)

    for path in (f"/logs/{request}", f"/logs?open={request}", "/logs", "/overview", "/usage"):
        assert script not in scene.owner.get(path).content.decode()


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_a_page_asks_the_database_no_more_for_many_rows_than_for_a_few(
    scene: Scene, path: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert scene.owner.get(path).status_code == 200
        return len(captured)

    scene.calls(3)
    scene.owner.get(path)  # the session is in the cache from now on
    few = queries()
    scene.calls(150)
    for number in range(5):
        scene.calls(2, model=f"model-{number}")
    many = queries()

    assert RequestLog.objects.count() == 163
    assert many <= few <= STANDING + 12


@pytest.mark.parametrize(
    "query",
    ["", "status=4xx", "error=needle", "endpoint=embeddings", "model=a&outcome=ok", "q=u_1"],
)
def test_no_way_of_filtering_takes_more_than_eleven_queries(scene: Scene, query: str) -> None:
    scene.calls(60)
    scene.owner.get("/logs")  # the session is in the cache from now on

    with CaptureQueriesContext(connection) as captured:
        assert scene.owner.get(f"/logs?{query}").status_code == 200

    assert len(captured) <= STANDING + 11
