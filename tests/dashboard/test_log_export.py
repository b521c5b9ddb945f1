"""The log as a file: all that matches, nothing of anybody else, one at a time."""

import csv
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.test import AsyncClient, Client

from dashboard import log_export
from dashboard.export_turns import Overtaken, Turn
from tests.dashboard.conftest import Scene, part, text_of


@pytest.fixture(autouse=True)
def _no_export_of_before() -> None:
    cache.clear()


def received(client: Client, path: str) -> str:
    """The whole file, as the server of a real site would send it."""
    browser = AsyncClient()
    browser.cookies = client.cookies

    async def receive() -> str:
        answer: Any = await browser.post(path)
        assert answer.status_code == 200
        return b"".join([piece async for piece in answer.streaming_content]).decode()

    return async_to_sync(receive)()


def test_a_file_has_every_request_that_matches_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_export, "AT_A_TIME", 7)
    wanted = scene.calls(40, model="wanted")
    scene.calls(5, model="other")

    lines = received(scene.owner, "/logs/export.jsonl?model=wanted").splitlines()
    rows = list(csv.DictReader(received(scene.owner, "/logs/export.csv?model=wanted").splitlines()))

    assert [json.loads(line)["request_id"] for line in lines] == wanted[::-1]
    assert [row["request_id"] for row in rows] == wanted[::-1]
    assert rows[0]["api_key"] == "Development"


def test_a_stranger_exports_nothing_of_ours(scene: Scene) -> None:
    mine = scene.call()

    assert received(scene.colleague, "/logs/export.jsonl").count(mine) == 1
    assert received(scene.stranger, "/logs/export.jsonl") == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_no_cell_is_a_formula(scene: Scene, text: str) -> None:
    scene.call(end_user=text, user_agent=text)

    [row] = csv.DictReader(received(scene.owner, "/logs/export.csv").splitlines())

    assert row["end_user"] == row["user_agent"] == f"'{text}"


def test_text_with_commas_quotes_and_lines_comes_back_as_it_was(scene: Scene) -> None:
    text = 'He said "no", twice\nand left; 日本'
    scene.call(error_message=text, outcome="upstream_error", status_code=502)

    [line] = received(scene.owner, "/logs/export.jsonl").splitlines()
    [row] = csv.DictReader(received(scene.owner, "/logs/export.csv").splitlines(keepends=True))

    assert json.loads(line)["error_message"] == row["error_message"] == text


def test_a_second_export_waits_for_the_first(scene: Scene) -> None:
    turn = Turn.begin(scene.key.account.pk)
    assert turn

    answer = scene.owner.post("/logs/export.csv")

    assert answer.status_code == 409
    assert "still running" in text_of(answer)
    turn.end()
    assert received(scene.owner, "/logs/export.csv")


def test_one_that_stood_still_does_not_go_on_beside_its_successor(scene: Scene) -> None:
    account = scene.key.account.pk
    first = Turn.begin(account)
    cache.clear()  # as after a long time
    second = Turn.begin(account)
    assert first
    assert second

    with pytest.raises(Overtaken):
        first.goes_on(1)
    first.end()
    second.goes_on(1)


def test_the_page_tells_how_much_there_is_and_how_far_it_went(scene: Scene) -> None:
    scene.calls(12)

    before = text_of(scene.owner.get("/logs/export?outcome=ok"))
    received(scene.owner, "/logs/export.csv")
    after = text_of(scene.owner.get("/logs/export?q=u_1", headers=part("progress")))

    assert "About 12 requests" in before
    assert "complete: 12 requests" in after


def test_while_one_runs_no_other_can_be_begun_and_one_that_broke_off_is_told(scene: Scene) -> None:
    scene.calls(10)
    turn = Turn.begin(scene.key.account.pk)
    assert turn
    turn.goes_on(4)

    running = scene.owner.get("/logs/export")
    theirs = scene.stranger.get("/logs/export")
    turn.end()
    broken = scene.colleague.get("/logs/export", headers=part("progress"))

    assert "4 requests written so far (40 %)" in text_of(running)
    assert running.content.count(b" disabled>Download") == 2
    assert b"disabled>Download" not in theirs.content + broken.content
    assert b'id="export-buttons"' in broken.content
    assert "broke off after 4 requests: its file is incomplete" in text_of(broken)


@pytest.mark.parametrize(
    ("path", "status"),
    [("export.xml", 404), ("export.csv?status=7", 422), ("export?outcome=no", 422)],
)
def test_what_cannot_be_exported_is_explained(scene: Scene, path: str, status: int) -> None:
    ask = scene.owner.get if path.startswith("export?") else scene.owner.post

    assert ask(f"/logs/{path}").status_code == status


def test_following_a_link_exports_nothing(scene: Scene) -> None:
    assert scene.owner.get("/logs/export.csv").status_code == 405
