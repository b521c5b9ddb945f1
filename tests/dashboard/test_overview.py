"""The Overview says whether an account is fine, and keeps saying it without a reload."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import redis
from django.http import HttpResponse
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.audit import SYSTEM
from accounts.models import Account
from dashboard import today
from dashboard.forecast import Forecast
from dashboard.overview import concern
from dashboard.standing import Meter, Pace, Standing
from dashboard.templatetags.figures import about
from gateway import counters
from gateway.decisions import Use
from tests.dashboard.conftest import Scene, browser_of, part, text_of
from tests.people import make_colleague, make_key
from usage.models import RequestLog
from usage.reports import Durations, Totals

NO_DURATIONS = Durations(None, None, None)
NO_SERVER = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))


def test_before_the_first_request_the_page_says_how_to_send_it(scene: Scene) -> None:
    page = scene.owner.get("/overview").content.decode()

    assert "Waiting for your first request" in page
    assert "Bearer YOUR_API_KEY" in page
    assert scene.key.api_key.hint in page
    assert scene.key.plaintext not in page
    assert scene.owner.get("/overview", headers=part("overview")).status_code == 204


def test_the_first_request_turns_the_panel_into_the_dashboard(scene: Scene) -> None:
    scene.call(model="keyplex/echo", completion_tokens=32)

    answer = scene.owner.get("/overview", headers=part("overview"))

    assert "Waiting" not in text_of(answer)
    assert b"<html" not in answer.content
    assert b'id="today"' in answer.content
    assert b"<canvas" in answer.content
    assert "keyplex/echo" in text_of(answer)


def test_a_colleague_sees_the_same_and_a_stranger_still_waits(scene: Scene) -> None:
    scene.call(model="secret-model")

    assert "secret-model" in text_of(scene.colleague.get("/overview"))
    assert "secret-model" not in text_of(scene.stranger.get("/overview"))
    assert "Waiting for your first request" in text_of(scene.stranger.get("/overview"))


def test_it_is_answered_only_when_something_is_new(scene: Scene) -> None:
    def poll(stamp: str) -> HttpResponse:
        return scene.owner.get(f"/overview?seen={stamp}", headers=part("today"))

    def stamp() -> str:
        return scene.owner.get("/overview").context["stamp"]

    scene.call()
    unchanged = [poll(stamp()).status_code for _ in range(2)]  # one may grow old on its way
    before, newest = stamp(), scene.call()
    new = poll(before)

    assert 204 in unchanged
    assert newest in new.content.decode()
    assert b'id="headroom" hx-swap-oob="true"' in new.content


def test_the_figures_are_those_of_the_utc_day(scene: Scene) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = (midnight - timedelta(seconds=1)).timestamp()
    scene.calls(3, prompt_tokens=1000, completion_tokens=234, latency_ms=240)
    scene.call(outcome="upstream_error", status_code=503)
    scene.call(outcome="refused", status_code=429, lease="")
    scene.calls(7, started_at=yesterday, prompt_tokens=999)

    today = scene.owner.get("/overview").context["today"]

    if datetime.now(UTC) - midnight > timedelta(minutes=2):
        figures = {figure.title: figure for figure in today.figures}
        assert figures["Requests"].value == "5"
        assert figures["Tokens"].value == "3,702"
        assert (figures["Errors"].value, figures["Errors"].beside) == ("1", "20 %")
        assert figures["Refused"].value == "1"
        assert figures["Errors"].tone == "bad"
        assert figures["Requests"].url.startswith(f"/usage?start={midnight:%Y-%m-%dT%H:%M}")


def test_use_is_shown_against_every_limit_as_colour_and_word(scene: Scene) -> None:
    plan = scene.key.account.subscription.plan
    plan.limits = {"requests_per_minute": 100, "tokens_per_day": 1000}
    plan.save()
    scene.call(started_at=timezone.now().timestamp(), prompt_tokens=900)

    page = text_of(scene.owner.get("/overview"))

    assert "Requests this minute fine" in page
    assert "Tokens today 90 % · running low" in page
    assert "900 of 1,000" in page


def test_what_changed_since_last_week_is_told_in_one_sentence(scene: Scene) -> None:
    now = timezone.now()
    before, after = ((now - timedelta(days=days)).timestamp() for days in (10, 3))
    other = make_key(scene.key.account).api_key
    for moment, prompt in ((before, 3100), (after, 9800)):
        scene.calls(25, started_at=moment, prompt_tokens=prompt)
        scene.calls(25, started_at=moment, prompt_tokens=500, api_key_id=other.pk)

    page = text_of(scene.owner.get("/overview"))

    assert "Tokens are up 186 % on the week before." in page
    assert "100 % of it comes from key Development : prompts grew from 3,100 to 9,800" in page
    assert "on the week before" not in text_of(scene.stranger.get("/overview"))


def test_when_a_limit_runs_out_is_told_by_the_viewers_clock(scene: Scene) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    at = datetime(2026, 11, 23, 20, tzinfo=UTC)
    day = today.Today(at, Pace([], at), [Totals()], [Totals()], NO_DURATIONS, NO_DURATIONS)
    use = Use("tokens_per_day", 1000, 500, 0, 500, int(at.timestamp()) + 4 * 3600)
    meter = Meter(use, Forecast(at + timedelta(hours=1), timedelta(minutes=20)))

    told = concern(Account(), day, Standing(None, [meter]), zone)

    assert told == "Tokens today run out on 24 November at this pace."
    assert about(timezone.now(), zone).startswith("at ")
    assert about(timezone.now(), zone).endswith(" IST")


@pytest.mark.parametrize("stop", ["freeze", "suspend"])
def test_nothing_is_fine_while_every_request_is_refused(scene: Scene, stop: str) -> None:
    scene.call()
    before = text_of(scene.owner.get("/overview"))
    getattr(scene.key.account, stop)(by=SYSTEM)

    pages = [text_of(scene.owner.get(path)) for path in ("/overview", "/keys", "/usage")]

    assert "Everything is fine. 1 of 1 key usable" in before
    assert "Every request is refused just now. 0 of 1 key usable" in pages[0]
    assert all("every request is refused with status 403" in page for page in pages)
    assert {"freeze": " Frozen ", "suspend": " Suspended "}[stop] in pages[1]
    assert "Active" not in pages[1]


def test_who_keeps_keys_can_thaw_them_from_any_page_and_others_are_told_who_can(
    scene: Scene,
) -> None:
    scene.key.account.freeze(by=SYSTEM)
    viewer = browser_of(make_colleague(scene.key.account, "viewer"))

    owner, looking, stranger = (
        client.get("/usage").content.decode() for client in (scene.owner, viewer, scene.stranger)
    )

    assert "/keys/thaw" in owner
    assert "/keys/thaw" not in looking
    assert "An owner, admin or developer can thaw them." in looking
    assert "frozen" not in stranger


@pytest.mark.parametrize("path", ["/overview", "/usage", "/logs"])
def test_pages_that_cannot_read_the_counters_work_and_say_so(
    scene: Scene, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.call()
    monkeypatch.setattr(counters, "_client", NO_SERVER)

    answer = scene.owner.get(path)

    assert answer.status_code == 200
    assert "What is left cannot be read at the moment." in text_of(answer)


def test_an_account_whose_log_was_forgotten_does_not_wait_for_a_first_request(scene: Scene) -> None:
    scene.call()
    RequestLog.objects.all().delete()

    page = text_of(scene.owner.get("/overview"))

    assert "Waiting" not in page
    assert "No requests lately" in page


def test_an_account_without_a_plan_has_its_pages(scene: Scene) -> None:
    scene.key.account.subscription.delete()

    for path in ("/overview", "/usage", "/logs"):
        answer = scene.owner.get(path)
        assert answer.status_code == 200
        assert "No plan" in text_of(answer)


def test_somebody_without_an_account_is_told_so(scene: Scene) -> None:
    scene.key.account.memberships.all().delete()

    for path in ("/overview", "/usage", "/logs", "/logs/req_1"):
        assert scene.owner.get(path).status_code == 403
