"""Second factors, sessions, and what asks again who you are."""

import re
import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts import sessions
from accounts.models import APIKey, User
from accounts.scopes import Scope
from tests.accounts.test_entrance import PASSWORD, code_in_mail, make_verified
from tests.one_time_codes import code_of
from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db(transaction=True)
OLD = "correct horse"
KEY = {"name": "Laptop", "scopes": list(Scope.values)}


def make_member() -> User:
    user = make_verified()
    make_account(user)
    return user


def sign_in(user: User, password: str = OLD) -> Client:
    client = Client()
    client.post("/login/", {"login": user.email, "password": password})
    return client


def signed_in(client: Client) -> bool:
    return client.get("/settings").status_code == 200


def later(client: Client, seconds: float) -> None:
    """Make the session as old as if it had begun that long ago."""
    session = client.session
    session[sessions.BEGAN] = session.get(sessions.BEGAN, time.time()) - seconds
    session.save()


def away(client: Client, seconds: float) -> None:
    session = client.session
    session[sessions.SEEN] -= seconds
    session.save()


def set_up_app(client: Client) -> str:
    """Turn on an authenticator app; its secret."""
    page = client.get("/mfa/totp/activate/")
    secret: str = page.context["form"].secret
    answer = client.post("/mfa/totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302
    return secret


def test_a_code_is_asked_for_once_an_app_is_set_up_and_is_good_once() -> None:
    user = make_member()
    secret = set_up_app(sign_in(user))
    code = code_of(secret)

    first, second = sign_in(user), sign_in(user)
    halfway = signed_in(first)
    first.post("/mfa/authenticate/", {"code": code})
    refused = second.post("/mfa/authenticate/", {"code": code})

    assert not halfway
    assert signed_in(first)
    assert refused.status_code == 200
    assert not signed_in(second)


def test_a_wrong_code_and_that_of_another_app_open_nothing() -> None:
    user, other = make_member(), make_member()
    set_up_app(sign_in(user))
    secret = set_up_app(sign_in(other))
    browser = sign_in(user)

    for code in ("000000", code_of(secret), ""):
        browser.post("/mfa/authenticate/", {"code": code})

    assert not signed_in(browser)


def test_secrets_of_second_factors_are_encrypted_in_the_database() -> None:
    user = make_member()
    secret = set_up_app(sign_in(user))

    data = dict(Authenticator.objects.filter(user=user).values_list("type", "data"))
    assert secret not in str(data)
    assert data["totp"]["secret"].startswith("gAAAA")
    assert data["recovery_codes"]["seed"].startswith("gAAAA")


def test_recovery_codes_are_shown_once_and_each_is_good_once() -> None:
    user = make_member()
    browser = sign_in(user)
    set_up_app(browser)

    shown = re.findall(r"^\d{8}$", text_of_codes(browser), re.MULTILINE)
    again = re.findall(r"^\d{8}$", text_of_codes(browser), re.MULTILINE)
    first, second = sign_in(user), sign_in(user)
    for client in (first, second):
        client.post("/mfa/authenticate/", {"code": shown[0]})

    assert (len(shown), again) == (10, [])
    assert (signed_in(first), signed_in(second)) == (True, False)


def text_of_codes(browser: Client) -> str:
    page = browser.get("/mfa/recovery-codes/").content.decode()
    return re.sub(r"<[^>]+>", "\n", page)


def test_a_second_factor_is_changed_only_by_somebody_who_lately_said_who_they_are() -> None:
    user = make_member()
    browser = sign_in(user)
    later(browser, 3600)

    asked = browser.get("/mfa/totp/activate/")
    browser.post("/reauthenticate/", {"password": OLD, "next": "/mfa/totp/activate/"})

    assert asked["Location"].startswith("/reauthenticate/")
    assert browser.get("/mfa/totp/activate/").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/keys/new",
        "/team/transfer",
        "/settings/danger/account",
        "/settings/danger/user",
        "/mfa/webauthn/add/",
        "/mfa/recovery-codes/generate/",
    ],
)
def test_what_outlives_a_session_asks_again(path: str) -> None:
    browser = sign_in(make_member())
    later(browser, 3600)

    answer = browser.get(path)

    assert answer["Location"] == f"/reauthenticate/?next={path.replace('/', '%2F')}"


def test_a_fresh_sign_in_is_answer_enough_for_a_key() -> None:
    browser = sign_in(make_member())

    assert browser.post("/keys/new", KEY).status_code == 200
    assert APIKey.objects.filter(name="Laptop").exists()


def test_a_form_that_came_too_late_goes_on_after_the_password() -> None:
    browser = sign_in(make_member())
    later(browser, 3600)

    asked = browser.post("/keys/new", KEY)
    none_yet = APIKey.objects.count()
    wrong = browser.post("/reauthenticate/", {"password": "wrong", "next": "/keys/new"})
    still_none = APIKey.objects.count()
    page = browser.post("/reauthenticate/", {"password": OLD, "next": "/keys/new"})

    assert asked.status_code == 302
    assert (none_yet, wrong.status_code, still_none) == (0, 200, 0)
    assert re.search(r"kpx_\w{48}", page.content.decode())


def test_half_a_day_without_a_request_ends_a_session() -> None:
    browser = sign_in(make_member())
    assert signed_in(browser)

    away(browser, sessions.IDLE - 600)
    within = signed_in(browser)
    away(browser, sessions.IDLE + 600)

    assert within
    assert not signed_in(browser)


def test_two_weeks_end_a_session_whatever_was_asked() -> None:
    browser = sign_in(make_member())
    assert signed_in(browser)

    later(browser, sessions.ABSOLUTE - 600)
    within = signed_in(browser)
    later(browser, 1200)

    assert within
    assert not signed_in(browser)


def test_a_new_password_ends_every_other_session_and_tells_by_mail() -> None:
    user = make_member()
    here, elsewhere = sign_in(user), sign_in(user)
    key_before = here.session.session_key

    here.post(
        "/password/change/", {"oldpassword": OLD, "password1": PASSWORD, "password2": PASSWORD}
    )

    assert (signed_in(here), signed_in(elsewhere)) == (True, False)
    assert here.session.session_key != key_before
    assert UserSession.objects.get(user=user).session_key == here.session.session_key
    assert "assword" in mail.outbox[-1].subject
    assert signed_in(sign_in(user, PASSWORD))


def test_a_reset_password_ends_every_session() -> None:
    user = make_member()
    elsewhere = sign_in(user)
    client = Client()
    client.post("/password/reset/", {"email": user.email})
    client.post("/password/reset/confirm/", {"code": code_in_mail()})
    client.post("/password/reset/complete/", {"password1": PASSWORD, "password2": PASSWORD})

    assert not signed_in(elsewhere)


def test_another_address_holds_once_verified_and_ends_every_other_session() -> None:
    user = make_member()
    here, elsewhere = sign_in(user), sign_in(user)

    here.post("/email/", {"email": "elsewhere@example.com", "action_add": ""})
    user.refresh_from_db()
    before = user.email
    here.post("/confirm-email/", {"code": code_in_mail()})

    user.refresh_from_db()
    assert before != user.email == "elsewhere@example.com"
    assert EmailAddress.objects.get(user=user).email == user.email
    assert (signed_in(here), signed_in(elsewhere)) == (True, False)


def test_a_second_factor_ends_every_other_session() -> None:
    user = make_member()
    here, elsewhere = sign_in(user), sign_in(user)

    set_up_app(here)

    assert (signed_in(here), signed_in(elsewhere)) == (True, False)


def test_a_user_who_was_deactivated_is_out_at_once() -> None:
    user = make_member()
    browser = sign_in(user)

    User.objects.filter(pk=user.pk).update(is_active=False)

    assert not signed_in(browser)


def test_signing_out_everywhere_leaves_this_session_alone() -> None:
    user = make_member()
    here, listed, unlisted = sign_in(user), sign_in(user), Client()
    unlisted.force_login(User.objects.get(pk=user.pk))
    UserSession.objects.filter(session_key=unlisted.session.session_key).delete()

    here.post("/settings/security/sessions")

    assert [signed_in(client) for client in (here, listed, unlisted)] == [True, False, False]
    page = here.get("/settings/security").content.decode()
    assert "This one" in page
    assert UserSession.objects.filter(user=user).count() == 1


def test_one_session_is_ended_from_the_list_and_never_one_of_others() -> None:
    user, stranger = make_member(), make_member()
    here, elsewhere, theirs = sign_in(user), sign_in(user), sign_in(stranger)
    pk = UserSession.objects.get(session_key=elsewhere.session.session_key).pk
    other = UserSession.objects.get(session_key=theirs.session.session_key).pk

    here.post(f"/settings/security/sessions/{pk}")
    refused = here.post(f"/settings/security/sessions/{other}")

    assert not signed_in(elsewhere)
    assert refused.status_code == 404
    assert signed_in(theirs)


def test_a_stranger_removes_no_passkey_of_others() -> None:
    user, stranger = make_member(), make_member()
    key = Authenticator.objects.create(user=user, type="webauthn", data={"name": "Phone"})

    answers = [
        sign_in(stranger).post(f"/mfa/webauthn/keys/{key.pk}/{verb}/")
        for verb in ("remove", "edit")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_noting_that_somebody_is_here_costs_queries_once_a_minute_only(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = Client()
    user = make_user()
    make_account(user)
    client.force_login(user)
    client.get("/settings")

    with django_assert_max_num_queries(7):
        client.get("/settings")
