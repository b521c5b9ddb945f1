"""Filters with a name and columns of one's own belong to each member, in this account only."""

import pytest

from accounts.models import Membership
from dashboard.models import LogColumns, SavedFilter
from tests.dashboard.conftest import Scene, browser_of, text_of
from tests.people import make_account, make_colleague

FAILED = "range=24h&outcome=upstream_error"


def test_a_saved_filter_is_there_again_until_it_is_deleted(scene: Scene) -> None:
    answer = scene.owner.post("/logs/filters", {"name": "Failed", "query": FAILED + "&before=x"})

    saved = SavedFilter.objects.get()
    page = scene.owner.get("/logs")
    assert answer["Location"] == "/logs?range=24h&outcome=upstream_error"
    assert f'<a href="/logs?{FAILED.replace("&", "&amp;")}">Failed</a>' in page.content.decode()
    scene.owner.post(f"/logs/filters/{saved.pk}/delete")
    assert not SavedFilter.objects.exists()


def test_saving_under_the_same_name_replaces_the_filter(scene: Scene) -> None:
    for outcome in ("ok", "refused"):
        scene.owner.post("/logs/filters", {"name": "Mine", "query": f"outcome={outcome}"})

    assert [saved.query for saved in SavedFilter.objects.all()] == ["outcome=refused"]


@pytest.mark.parametrize(
    "given", [{"name": "", "query": FAILED}, {"name": "x" * 61, "query": FAILED}, {"name": "x"}]
)
def test_a_filter_without_name_or_content_is_not_saved(scene: Scene, given: dict[str, str]) -> None:
    page = scene.owner.post("/logs/filters", given, follow=True)

    assert "give it a short name" in text_of(page)
    assert not SavedFilter.objects.exists()


def test_nobody_else_sees_or_deletes_a_saved_filter(scene: Scene) -> None:
    scene.owner.post("/logs/filters", {"name": "Failed", "query": FAILED})
    saved = SavedFilter.objects.get()

    for other in (scene.colleague, scene.stranger):
        assert "Failed" not in text_of(other.get("/logs"))
        assert other.post(f"/logs/filters/{saved.pk}/delete").status_code == 404
    assert SavedFilter.objects.exists()


def test_a_saved_filter_does_not_follow_its_member_into_another_account(scene: Scene) -> None:
    scene.owner.post("/logs/filters", {"name": "Failed", "query": FAILED})
    scene.owner.get("/logs")  # which says that it is saved
    owner = scene.key.account.members.get(memberships__role=Membership.Role.OWNER)
    other = make_account()
    Membership.objects.create(user=owner, account=other, role=Membership.Role.VIEWER)
    session = scene.owner.session
    session["account"] = other.pk
    session.save()

    page = scene.owner.get("/logs")
    answer = scene.owner.post(f"/logs/filters/{SavedFilter.objects.get().pk}/delete")

    assert page.status_code == 200
    assert "Failed" not in text_of(page)
    assert answer.status_code == 404


def test_chosen_columns_are_shown_to_whoever_chose_them(scene: Scene) -> None:
    scene.call(provider="openrouter", end_user="u_77")

    answer = scene.owner.post(
        "/logs/columns", {"column": ["provider", "end_user", "nonsense"], "query": "range=24h"}
    )

    mine, theirs = (text_of(page.get("/logs")) for page in (scene.owner, scene.colleague))
    assert answer["Location"] == "/logs?range=24h"
    assert "Time Provider End user" in mine
    assert "openrouter u_77" in mine
    assert "Time Request Model Key Outcome Tokens Took" in theirs


def test_choosing_no_column_brings_the_usual_ones_back(scene: Scene) -> None:
    scene.owner.post("/logs/columns", {"column": ["provider"]})
    scene.owner.post("/logs/columns", {})

    assert not LogColumns.objects.exists()


def test_following_a_link_changes_nothing(scene: Scene) -> None:
    for path in ("/logs/filters", "/logs/columns", "/logs/filters/1/delete"):
        assert scene.owner.get(path).status_code == 405


def test_a_viewer_may_keep_filters_too(scene: Scene) -> None:
    viewer = browser_of(make_colleague(scene.key.account, Membership.Role.VIEWER))

    viewer.post("/logs/filters", {"name": "Failed", "query": FAILED})

    assert "Failed" in text_of(viewer.get("/logs"))
