"""The Usage page and operators are told what was added to a month after its end."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from tests.dashboard.conftest import Scene, browser_of, text_of
from tests.people import make_account

NOW = datetime(2026, 11, 9, 12, tzinfo=UTC)


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: moment)


def october(day: int, year: int = 2026) -> dict[str, float]:
    return {"started_at": datetime(year, 10, day, 12, tzinfo=UTC).timestamp()}


def test_owner_and_colleague_read_it_in_one_line_and_a_stranger_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, datetime(2026, 11, 3, 23, 30, tzinfo=UTC))
    scene.calls(12, **october(20))
    set_clock(monkeypatch, NOW)
    line = "12 requests of October were recorded late, on 3 November."

    assert line in text_of(scene.owner.get("/usage?range=30d"))
    assert line in text_of(scene.colleague.get("/usage?start=2026-10-31T00:00Z&end=2026-11-02"))
    assert "on 4 November." in text_of(scene.owner.get("/usage?range=30d&zone=Europe/Berlin"))
    assert "recorded late" not in text_of(scene.owner.get("/usage?range=7d"))
    assert "recorded late" not in text_of(scene.owner.get("/usage?start=2026-09-01&end=2026-10-01"))
    assert "recorded late" not in text_of(scene.stranger.get("/usage?range=30d"))


def test_what_came_bit_by_bit_is_summed_and_years_are_named_where_they_differ(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (3, 5, 4):
        set_clock(monkeypatch, datetime(2026, 11, day, tzinfo=UTC))
        scene.calls(500, **october(day))
    set_clock(monkeypatch, datetime(2026, 1, 2, tzinfo=UTC))
    scene.call(started_at=datetime(2025, 12, 31, tzinfo=UTC).timestamp())
    set_clock(monkeypatch, NOW)

    page = text_of(scene.owner.get("/usage?start=2025-12-01&end=2026-11-01"))

    assert (
        "1 request of December 2025 was recorded late, on 2 January. "
        "1,500 requests of October were recorded late, between 3 November and 5 November."
    ) in page


def test_only_a_period_that_begins_before_this_month_is_looked_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, NOW)
    scene.owner.get("/usage")

    def asked(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            scene.owner.get(f"/usage?{query}")
        return sum("usage_usageadjustment" in query["sql"] for query in captured.captured_queries)

    assert asked("start=2026-11-01T00:00Z") == 0
    assert asked("range=7d") == 0
    assert asked("range=30d") == 1


def test_operators_see_every_one_and_can_change_none(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, NOW)
    scene.calls(7, prompt_tokens=100, **october(20))
    staff = User.objects.create_superuser("staff@example.com", "correct horse")
    make_account(staff)
    browser = browser_of(staff)

    page = text_of(browser.get("/ops/usage/usageadjustment/"))

    assert f"{scene.key.account} 1 Oct 2026 7 700" in page
    nobody = browser.get("/ops/usage/usageadjustment/?q=nobody")
    assert "nothing matches the search" in text_of(nobody)
    assert browser.get("/ops/usage/usageadjustment/add/").status_code == 403
    assert scene.owner.get("/ops/usage/usageadjustment/").status_code == 403
