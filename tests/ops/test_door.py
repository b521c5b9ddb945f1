"""Who comes into the operators' room, from where, under which policy, and out again."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.origin import networks
from dashboard.models import Incident
from tests.dashboard.conftest import text_of
from tests.operators import as_operator, make_operator
from tests.ops.visits import (
    ACT,
    CODE,
    LIST,
    SAID,
    START,
    make_future_operator,
    set_up_app,
    signed_in,
    where,
)
from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db
POLICY = "Content-Security-Policy"
INSIDE = [START, LIST, ACT, "/ops/accounts/", "/ops/nothing/", "/ops/jsi18n/", "/ops/autocomplete/"]


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def operator() -> User:
    return make_future_operator()


@pytest.mark.parametrize("method", ["get", "post", "head", "put", "delete"])
def test_nobody_is_sent_to_sign_in_and_a_member_is_told_that_they_may_not(method: str) -> None:
    member = make_user()
    make_account(member)
    browsers = {"nobody": Client(), "a member": Client(), "a stranger": Client()}
    browsers["a member"].force_login(member)
    browsers["a stranger"].force_login(make_user())

    found = {
        who: {where(browser, path, method) for path in INSIDE} for who, browser in browsers.items()
    }

    assert found == {"nobody": {"/login/"}, "a member": {"403"}, "a stranger": {"403"}}
    assert "Only operators may go in here." in text_of(browsers["a member"].get(START))


def test_there_is_no_side_door() -> None:
    user = make_operator()
    posted = {"username": user.email, "login": user.email, "password": "correct horse"}
    client = Client()

    answers = {
        path: where(client, path, method)
        for path in ("/admin/", "/admin", "/admin/login/", "/admin/login")
        for method in ("get", "post")
    }
    sent = client.post("/ops/login/", {**posted, "next": START})

    assert set(answers.values()) == {"404"}
    assert sent["Location"] == "/login/?next=/ops/"
    assert client.get("/ops/login/", {"next": LIST})["Location"] == f"/login/?next={LIST}"
    assert "_auth_user_id" not in client.session
    assert where(client, START) == "/login/"


def test_an_operator_without_a_second_factor_is_told_to_add_one(operator: User) -> None:
    browser = signed_in(operator)
    RecoveryCodes.activate(operator)  # which stand in for a factor, and are none

    answers = [browser.get(path) for path in INSIDE] + [browser.post(ACT, SAID)]

    assert {answer.status_code for answer in answers} == {403}
    assert "A second factor first" in text_of(answers[0])
    assert b"/mfa/totp/activate/" in answers[0].content
    assert not Incident.objects.exists()


def test_only_from_where_operators_may_come(settings: Settings) -> None:
    settings.OPS_NETWORKS = networks("192.0.2.0/24, 2001:db8::/32")
    browser = as_operator(Client())

    found = {
        address: {where(browser, path, REMOTE_ADDR=address) for path in (START, LIST, ACT)}
        for address in ("192.0.2.9", "2001:db8::7", "198.51.100.1", "")
    }
    browser.post(ACT, SAID, REMOTE_ADDR="198.51.100.1", HTTP_X_FORWARDED_FOR="192.0.2.9")

    assert found == {
        "192.0.2.9": {"200"},
        "2001:db8::7": {"200"},
        "198.51.100.1": {"403"},
        "": {"403"},
    }
    assert not Incident.objects.exists()


def test_whoever_signs_out_is_out_and_a_link_signs_nobody_out() -> None:
    browser = as_operator(Client())

    browser.get("/ops/logout/")
    still_in = where(browser, START)
    browser.post("/ops/logout/")

    assert still_in == "200"
    assert where(browser, START) == "/login/"


def test_a_member_who_is_made_an_operator_needs_a_second_factor_and_no_new_session() -> None:
    member = make_user()
    browser = signed_in(member)

    before = where(browser, START)
    User.objects.filter(pk=member.pk).update(is_staff=True, is_superuser=True)
    page = browser.get(START)
    set_up_app(member)

    assert before == "403"
    assert "A second factor first" in text_of(page)
    assert where(browser, START) == CODE


def test_an_operator_who_is_none_any_more_is_out_at_once() -> None:
    changes = [{"is_staff": False}, {"is_active": False}]
    found = []
    for number, change in enumerate(changes):
        operator = make_operator(f"operator{number}@example.com")
        browser = as_operator(Client(), operator)
        before = where(browser, START)
        User.objects.filter(pk=operator.pk).update(**change)
        found.append((before, where(browser, START), where(browser, ACT, "post")))

    assert found == [("200", "403", "403"), ("200", "/login/", "/login/")]


def test_an_operator_may_do_what_their_permissions_say() -> None:
    operator = make_operator()
    User.objects.filter(pk=operator.pk).update(is_superuser=False)
    browser = as_operator(Client(), User.objects.get(pk=operator.pk))
    nothing = [where(browser, path) for path in (START, LIST, ACT)]

    operator.user_permissions.add(Permission.objects.get(codename="view_user"))

    assert nothing == ["200", "403", "403"]
    assert [where(browser, path) for path in (LIST, ACT)] == ["200", "403"]


def test_a_factor_that_is_taken_away_closes_the_room(operator: User) -> None:
    browser = as_operator(Client(), operator)

    Authenticator.objects.filter(user=operator).delete()

    assert where(browser, START) == "403"


def test_the_room_has_a_strict_policy_of_its_own_and_is_kept_by_nobody(operator: User) -> None:
    own = {
        "default-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "connect-src": "'self'",
    }
    browser = as_operator(Client(), operator)
    answers = [browser.get(path) for path in (START, LIST, ACT)]
    answers.append(browser.post(ACT, {}))
    Authenticator.objects.filter(user=operator).delete()
    answers.append(browser.get(START))

    assert [answer.status_code for answer in answers] == [200, 200, 200, 422, 403]
    for answer in answers:
        parts = [part.split(maxsplit=1) for part in answer[POLICY].strip("; ").split(";")]
        assert dict(parts) == own
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
        assert answer["X-Frame-Options"] == "DENY"
