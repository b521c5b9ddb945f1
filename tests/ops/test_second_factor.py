"""The second factor of operators: which one, when it is asked for, and how long it lasts."""

import time

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.test import Client
from django.utils.http import urlencode

from accounts.models import User
from accounts.operators import FRESH, IDLE, SEEN, SHIFT
from dashboard.models import Incident
from tests.one_time_codes import code_of
from tests.operators import as_operator, shows_second_factor
from tests.ops.visits import (
    ACT,
    CODE,
    LIST,
    PASSKEY,
    SAID,
    START,
    make_future_operator,
    set_up_app,
    signed_in,
    where,
)
from tests.passkeys import Passkey
from tests.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def operator() -> User:
    return make_future_operator()


def was_seen(client: Client, ago: float) -> None:
    session = client.session
    session[SEEN] = time.time() - ago
    session.save()


def test_a_password_opens_nothing_once_there_is_a_second_factor(operator: User) -> None:
    secret = set_up_app(operator)
    browser = Client()
    browser.post("/login/", {"login": operator.email, "password": "correct horse"})

    halfway = where(browser, START)
    browser.post("/mfa/authenticate/", {"code": code_of(secret)})

    assert halfway == "/login/"
    assert where(browser, START) == "200"


def test_a_factor_not_shown_in_this_session_is_asked_for_and_no_password_will_do(
    operator: User,
) -> None:
    secret = set_up_app(operator)
    browser = signed_in(operator)

    asked = browser.get(LIST)
    refused = browser.post("/reauthenticate/", {"password": "correct horse", "next": LIST})
    wrong = browser.post(CODE, {"code": "000000", "next": LIST})
    still_out = where(browser, LIST)
    sent = browser.post(CODE, {"code": code_of(secret), "next": LIST})

    assert asked["Location"] == f"{CODE}?{urlencode({'next': LIST})}"
    assert refused["Location"].startswith(CODE)
    assert (wrong.status_code, still_out) == (200, CODE)
    assert sent["Location"] == LIST
    assert where(browser, LIST) == "200"


def test_what_was_sent_too_late_goes_on_after_the_code_and_only_then(operator: User) -> None:
    secret = set_up_app(operator)
    browser = as_operator(Client(), operator, ago=FRESH + 60)

    asked = browser.post(ACT, SAID)
    browser.post(CODE, {"code": "000000", "next": ACT})
    none_yet = Incident.objects.count()
    code = code_of(secret)
    browser.post(CODE, {"code": code, "next": ACT})
    browser.post(CODE, {"code": code, "next": ACT})

    assert asked["Location"].startswith(CODE)
    assert none_yet == 0
    assert [incident.title for incident in Incident.objects.all()] == ["Calls fail"]


def test_what_was_sent_by_somebody_who_is_no_operator_any_more_does_not_go_on(
    operator: User,
) -> None:
    secret = set_up_app(operator)
    browser = as_operator(Client(), operator, ago=FRESH + 60)
    browser.post(ACT, SAID)

    User.objects.filter(pk=operator.pk).update(is_staff=False, is_superuser=False)
    answer = browser.post(CODE, {"code": code_of(secret), "next": ACT})

    assert answer.status_code == 403
    assert not Incident.objects.exists()


def test_a_form_of_another_site_is_not_kept_for_later(operator: User) -> None:
    set_up_app(operator)
    browser = Client(enforce_csrf_checks=True)
    as_operator(browser, operator, ago=FRESH + 60)

    answer = browser.post(ACT, SAID)

    assert answer.status_code == 403
    assert "account_reauthentication_state" not in browser.session


@pytest.mark.parametrize(
    ("ago", "looks", "opens_an_act", "acts"),
    [
        (0, "200", "200", 1),
        (FRESH - 60, "200", "200", 1),
        (FRESH + 60, "200", CODE, 0),
        (IDLE + 60, CODE, CODE, 0),
    ],
)
def test_who_changes_something_has_shown_the_factor_within_ten_minutes(
    ago: float, looks: str, opens_an_act: str, acts: int
) -> None:
    browser = as_operator(Client(), ago=ago)

    assert where(browser, ACT) == opens_an_act
    browser.post(ACT, SAID)
    assert Incident.objects.count() == acts
    assert where(browser, LIST) == looks


def test_what_is_chosen_in_a_list_is_a_change_too() -> None:
    browser = as_operator(Client(), ago=FRESH + 60)

    assert where(browser, "/ops/accounts/apikey/", "post") == CODE


@pytest.mark.parametrize(
    ("shown", "seen", "found"),
    [
        (SHIFT - 60, 60, "200"),
        (SHIFT + 60, 60, CODE),
        (IDLE + 600, IDLE - 60, "200"),
        (IDLE + 600, IDLE + 60, CODE),
    ],
)
def test_a_shift_ends_and_so_does_one_in_which_nothing_is_asked(
    shown: float, seen: float, found: str
) -> None:
    browser = as_operator(Client(), ago=shown)
    was_seen(browser, seen)

    assert where(browser, LIST) == found


def test_whoever_looks_around_stays_in() -> None:
    browser = as_operator(Client(), ago=IDLE - 60)

    browser.get(LIST)

    assert time.time() - browser.session[SEEN] < 60


def test_a_recovery_code_stands_in_for_the_app_once(operator: User) -> None:
    set_up_app(operator)
    codes = RecoveryCodes.activate(operator).get_unused_codes()
    first, second = signed_in(operator), signed_in(operator)

    for browser in (first, second):
        browser.post(CODE, {"code": codes[0], "next": START})

    assert (where(first, START), where(second, START)) == ("200", CODE)


def test_a_passkey_is_a_second_factor_and_that_of_others_is_none(operator: User) -> None:
    mine, theirs = Passkey(operator), Passkey(make_user())
    browser = signed_in(operator)

    asked = where(browser, START)
    for key, then in ((theirs, PASSKEY), (mine, "200")):
        page = browser.get(PASSKEY, {"next": START})
        challenge = page.context["js_data"]["request_options"]["publicKey"]["challenge"]
        browser.post(PASSKEY, {"credential": key.answer(challenge), "next": START})
        assert where(browser, START) == then

    assert asked == PASSKEY


def test_an_old_answer_of_a_passkey_is_none(operator: User) -> None:
    key = Passkey(operator)
    first, second = signed_in(operator), signed_in(operator)
    page = first.get(PASSKEY, {"next": START})
    challenge = page.context["js_data"]["request_options"]["publicKey"]["challenge"]
    second.get(PASSKEY, {"next": START})

    second.post(PASSKEY, {"credential": key.answer(challenge), "next": START})

    assert where(second, START) == PASSKEY


def test_a_code_that_somebody_else_showed_in_this_browser_does_not_count(operator: User) -> None:
    set_up_app(operator)
    browser = signed_in(operator)

    shows_second_factor(browser, make_user())

    assert where(browser, START) == CODE
