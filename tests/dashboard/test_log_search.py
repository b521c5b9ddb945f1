"""What somebody types is understood, what is asked for is seen, and the way back is kept."""

import re
import time
from collections.abc import Callable

import pytest
from django.utils import timezone

from dashboard.timezones import COOKIE
from tests.dashboard.conftest import Scene, text_of
from tests.dashboard.test_logs import ids_on


@pytest.mark.parametrize(
    "typed",
    [
        lambda wanted: wanted.upper(),
        lambda wanted: wanted.removeprefix("req_"),
        lambda wanted: wanted[:24],
        lambda wanted: wanted[4:24].upper(),
    ],
)
def test_an_id_is_found_however_it_is_typed_and_only_by_its_own(
    scene: Scene, typed: Callable[[str], str]
) -> None:
    wanted, *_ = scene.calls(3)

    mine, theirs = (
        browser.get("/logs", {"q": typed(wanted)}) for browser in (scene.owner, scene.stranger)
    )

    assert (ids_on(mine.content), ids_on(theirs.content)) == ([wanted], [])


def test_the_beginning_of_several_ids_is_not_taken_for_one_of_them(scene: Scene) -> None:
    first, *_ = scene.calls(3, started_at=time.time())

    page = scene.owner.get("/logs", {"q": first[:12]})

    assert (page.status_code, ids_on(page.content)) == (200, [])


def test_an_end_user_whose_name_could_be_an_id_is_still_found(scene: Scene) -> None:
    wanted = scene.call(end_user="0deadbeef0")

    assert ids_on(scene.owner.get("/logs?q=0deadbeef0").content) == [wanted]


def test_words_that_find_nothing_can_be_looked_for_in_the_texts_of_errors(scene: Scene) -> None:
    wanted = scene.call(outcome="upstream_error", status_code=502, error_message="It timed <out>.")
    path = re.compile(r'href="(\?[^"]+)">Search error texts for “timed &lt;out&gt;”')

    page = scene.owner.get("/logs", {"q": "timed <out>", "status": "5xx"}).content.decode()
    offered = path.search(page)

    assert offered
    assert ids_on(scene.owner.get("/logs" + offered[1].replace("&amp;", "&")).content) == [wanted]
    assert "Search error texts" not in text_of(scene.owner.get(f"/logs?q={wanted[:-1]}x"))


def test_what_the_page_keeps_behind_a_button_is_seen_and_taken_away_one_by_one(
    scene: Scene,
) -> None:
    scene.owner.cookies[COOKIE] = "Asia/Kolkata"
    query = "status=4xx&error=minute&start=2026-10-22T05:30&end=2026-10-23T05:30"

    answer = scene.owner.get(f"/logs?{query}")

    left = {value: without for _, value, without in answer.context["form"].chips}
    assert left == {
        "4xx": "start=2026-10-22T00:00Z&end=2026-10-23T00:00Z&error=minute",
        "minute": "start=2026-10-22T00:00Z&end=2026-10-23T00:00Z&status=4xx",
        "22 Oct, 05:30": "end=2026-10-23T00:00Z&status=4xx&error=minute",
        "23 Oct, 05:30": "start=2026-10-22T00:00Z&status=4xx&error=minute",
    }
    assert "No longer filter by Error text: minute" in text_of(answer)


def test_the_list_and_the_links_in_it_tell_the_viewers_time(scene: Scene) -> None:
    scene.owner.cookies[COOKIE] = "Asia/Kolkata"
    scene.call(started_at=1_790_000_000.397)

    page = scene.owner.get("/logs?start=2026-09-01T00:00&end=2026-10-01T00:00")
    elsewhere = scene.colleague.get(f"/logs?{page.context['form'].query}")

    assert "21 Sep 19:43:20.397" in text_of(page)
    assert "21 Sep 14:13:20.397" in text_of(elsewhere)
    assert "From (Asia/Kolkata)" in text_of(page)
    assert elsewhere.context["form"].filters == page.context["form"].filters


def test_today_needs_no_date(scene: Scene) -> None:
    now = timezone.now()
    scene.call(started_at=now.timestamp())

    assert re.search(rf"(?<!{now:%b} ){now:%H:%M:%S}\.\d\d\d ", text_of(scene.owner.get("/logs")))


def test_the_page_of_a_request_leads_back_to_where_one_came_from(scene: Scene) -> None:
    calls = scene.calls(60, model="wanted")
    scene.calls(3, model="other")
    first = scene.owner.get("/logs?model=wanted")
    older = scene.owner.get("/logs" + first.context["older_url"])

    wanted = ids_on(older.content)[0]
    link = re.search(rf'href="(/logs/{wanted}[^"]*)"', older.content.decode())
    assert link
    page = scene.owner.get(link[1].replace("&amp;", "&"))
    back = re.search(r'href="(/logs\?[^"#]+)#([^"]+)"', page.content.decode())

    assert back
    assert ids_on(scene.owner.get(back[1].replace("&amp;", "&")).content) == calls[:10][::-1]
    assert back[2] == wanted
