"""Who strays from the path keeps the navigation, and is told whom to ask."""

import pytest
from django.test import Client

from tests.dashboard.conftest import Scene, browser_of, text_of
from tests.people import make_colleague


@pytest.mark.parametrize("path", ["/logs/req_0", "/keys/0"])
def test_a_member_finds_nothing_within_their_account(scene: Scene, path: str) -> None:
    answers = [browser.get(path) for browser in (scene.owner, scene.colleague, scene.stranger)]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert all(b'data-go="k"' in answer.content for answer in answers)
    assert all("Back to the Overview" in text_of(answer) for answer in answers)


@pytest.mark.parametrize(
    ("role", "asks"), [("viewer", True), ("developer", True), ("admin", False)]
)
def test_who_may_not_is_told_whom_to_ask(scene: Scene, role: str, asks: bool) -> None:
    member = browser_of(make_colleague(scene.key.account, role))

    answer = member.get("/settings/danger/account")

    assert answer.status_code == 403
    assert "Only an owner may" in text_of(answer)
    assert ("ask its owner or an admin" in text_of(answer)) is asks
    assert b'data-go="k"' in answer.content


def test_a_visitor_from_the_street_sees_no_navigation(scene: Scene, client: Client) -> None:
    scene.key.account.memberships.all().delete()

    outside, homeless = client.get("/logs-of-nobody"), scene.owner.get("/keys")

    assert (outside.status_code, homeless.status_code) == (404, 403)
    assert b"data-go" not in outside.content + homeless.content
    assert "Open an account" in text_of(homeless)
    assert "Open an account" not in text_of(outside)
