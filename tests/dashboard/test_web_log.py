"""The log of the web server tells in one line what a visitor may not, and in full what failed."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from accounts.models import Membership
from tests.dashboard.conftest import browser_of
from tests.people import make_account, make_colleague


@pytest.fixture
def viewer(db: None) -> Client:
    return browser_of(make_colleague(make_account(), role=Membership.Role.VIEWER))


def test_a_page_that_a_visitor_may_not_see_is_one_line(
    viewer: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = viewer.get("/playground")

    assert answer.status_code == 403
    assert [record.getMessage() for record in caplog.records] == ["Forbidden: /playground"]
    assert "Traceback" not in caplog.text


def fails(_: HttpRequest) -> HttpResponse:
    raise RuntimeError("out of paper")


urlpatterns = [path("fails", fails)]


@pytest.mark.urls(__name__)
def test_what_failed_keeps_its_traceback(viewer: Client, caplog: pytest.LogCaptureFixture) -> None:
    viewer.raise_request_exception = False

    answer = viewer.get("/fails")

    assert answer.status_code == 500
    assert [record.getMessage() for record in caplog.records] == ["Internal Server Error: /fails"]
    assert "RuntimeError: out of paper" in caplog.text
