"""Sessions are listed in words that their owner knows; what a browser said can be unfolded."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.models import User
from tests.dashboard.conftest import browser_of
from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1 <b>"


def listed(user: User, agent: str) -> Client:
    client = browser_of(user)
    key = client.session.session_key
    UserSession.objects.create(user=user, session_key=key, ip="203.0.113.7", user_agent=agent)
    return client


def test_a_member_sees_their_browsers_by_name_and_those_of_nobody_else() -> None:
    owner, stranger = make_user(), make_user("stranger")
    for user in (owner, stranger):
        make_account(user)
    here = listed(owner, PHONE)
    listed(owner, "curl/8.11.0")
    theirs = listed(stranger, "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")

    page, other = (client.get("/settings/security").content.decode() for client in (here, theirs))

    assert "<summary>Safari 18 on iPhone</summary>" in page
    assert "<summary>curl 8.11</summary>" in page
    assert "Safari/604.1 &lt;b&gt;" in page
    assert "Firefox" not in page
    assert "<summary>Firefox 140 on Windows</summary>" in other
    assert "iPhone" not in other
