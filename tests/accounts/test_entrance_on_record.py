"""Whatever people do about their sign-in is on record in each account to which they belong."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts import audit
from accounts.audit import Action, AuditEntry
from accounts.models import Account, Membership, User
from tests.accounts.test_entrance import EMAIL, PASSWORD, code_in_mail, make_verified, sign_up
from tests.accounts.test_security import set_up_app
from tests.one_time_codes import code_of
from tests.people import make_account, make_plan, make_user

pytestmark = pytest.mark.django_db
WHO = {
    *(Action.USER_SIGNED_UP, Action.USER_SIGNED_IN, Action.USER_SIGN_IN_FAILED),
    *(Action.USER_SIGNED_OUT, Action.USER_REAUTHENTICATED, Action.PASSWORD_CHANGED),
    *(Action.PASSWORD_RESET, Action.EMAIL_ADDED, Action.EMAIL_CHANGED, Action.EMAIL_VERIFIED),
    Action.EMAIL_REMOVED,
}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    make_plan("free-trial")
    cache.clear()


@pytest.fixture
def user() -> User:
    return make_verified()


@pytest.fixture
def account(user: User) -> Account:
    return make_account(user)


def acts(chain: int) -> list[str]:
    """What people did about their sign-in, in the order in which they did it."""
    entries = AuditEntry.objects.filter(chain=chain, action__in=WHO).order_by("number")
    return [entry.action for entry in entries]


def sign_in(client: Client, user: User, password: str = "correct horse") -> None:
    client.post("/login/", {"login": user.email, "password": password}, REMOTE_ADDR="192.0.2.7")


def last(chain: int) -> AuditEntry:
    return AuditEntry.objects.filter(chain=chain).latest("number")


def test_signing_up(client: Client) -> None:
    sign_up(client)
    client.post("/confirm-email/", {"code": code_in_mail()})

    user = User.objects.get(email=EMAIL)
    assert acts(user.accounts.get().pk) == [
        Action.USER_SIGNED_UP,
        Action.EMAIL_VERIFIED,
        Action.USER_SIGNED_IN,
    ]
    assert not list(audit.verify())


def test_signing_in_and_out(client: Client, user: User, account: Account) -> None:
    sign_in(client, user)
    entry = last(account.pk)
    client.post("/logout/")

    assert acts(account.pk) == [Action.USER_SIGNED_IN, Action.USER_SIGNED_OUT]
    assert (entry.actor, entry.user_id, entry.ip) == (user.email, user.pk, "192.0.2.7")
    assert entry.details == {"methods": ["password"]}
    assert last(account.pk).actor == user.email


def test_operators_sign_out_on_record_too(client: Client, user: User, account: Account) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    client.force_login(user)

    client.post("/ops/logout/")

    assert acts(account.pk) == [Action.USER_SIGNED_OUT]
    assert client.get("/ops/password_change/")["Location"].startswith("/login/")


def test_whoever_belongs_to_several_accounts_is_on_record_in_each(client: Client) -> None:
    user = make_verified()
    mine, other = make_account(user), make_account(make_user("other"))
    Membership.objects.create(user=user, account=other, role="viewer")
    strange = make_account(make_user("stranger"))

    sign_in(client, user)

    assert acts(mine.pk) == acts(other.pk) == [Action.USER_SIGNED_IN]
    assert acts(strange.pk) == acts(0) == []


def test_whoever_belongs_to_none_is_in_the_chain_of_the_server(client: Client, user: User) -> None:
    sign_in(client, user)

    assert acts(0) == [Action.USER_SIGNED_IN]


def test_a_failed_sign_in_is_on_record_once_a_minute_from_one_address(
    client: Client, user: User, account: Account
) -> None:
    for _ in range(4):
        sign_in(client, user, "wrong")
    Client().post("/login/", {"login": user.email, "password": "wrong"}, REMOTE_ADDR="198.51.100.1")

    assert acts(account.pk) == [Action.USER_SIGN_IN_FAILED] * 2
    entry = last(account.pk)
    assert (entry.actor, entry.ip, entry.about) == ("somebody", "198.51.100.1", user.email)
    assert entry.user_id is None


def test_an_address_of_nobody_leaves_no_entry(client: Client, account: Account) -> None:
    before = AuditEntry.objects.count()

    client.post("/login/", {"login": "nobody@example.com", "password": "wrong"})

    assert AuditEntry.objects.count() == before


def test_another_password(client: Client, user: User, account: Account) -> None:
    client.force_login(user)

    client.post(
        "/password/change/",
        {"oldpassword": "correct horse", "password1": PASSWORD, "password2": PASSWORD},
    )

    assert acts(account.pk) == [Action.PASSWORD_CHANGED]


def test_a_forgotten_password(client: Client, user: User, account: Account) -> None:
    client.post("/password/reset/", {"email": user.email})
    client.post("/password/reset/confirm/", {"code": code_in_mail()})
    client.post("/password/reset/complete/", {"password1": PASSWORD, "password2": PASSWORD})

    assert acts(account.pk)[:1] == [Action.PASSWORD_RESET]
    assert last(account.pk).actor == user.email


def test_another_address(client: Client, user: User, account: Account) -> None:
    sign_in(client, user)
    confirm(client)
    client.post("/email/", {"action_add": "", "email": "second@example.com"})
    client.post("/confirm-email/", {"code": code_in_mail()})

    entries = account.audit_entries.filter(action__startswith="email.").order_by("number")
    assert [(entry.action, entry.about) for entry in entries] == [
        (Action.EMAIL_CHANGED, "second@example.com"),
        (Action.EMAIL_ADDED, "second@example.com"),
        (Action.EMAIL_VERIFIED, "second@example.com"),
    ]
    assert entries[0].details == {"before": user.email}
    assert EmailAddress.objects.get(primary=True).email == "second@example.com"


def confirm(client: Client) -> None:
    client.post("/reauthenticate/", {"password": "correct horse"})


def test_saying_once_more_who_one_is(client: Client, user: User, account: Account) -> None:
    sign_in(client, user)
    confirm(client)

    assert acts(account.pk) == [Action.USER_SIGNED_IN, Action.USER_REAUTHENTICATED]
    assert last(account.pk).details == {"methods": ["password"]}


def test_failing_to_say_who_one_is(client: Client, user: User, account: Account) -> None:
    sign_in(client, user)

    client.post("/reauthenticate/", {"password": "wrong"})

    assert acts(account.pk) == [Action.USER_SIGNED_IN, Action.USER_SIGN_IN_FAILED]
    assert last(account.pk).actor == user.email


def test_no_password_and_no_code_is_ever_on_record(client: Client) -> None:
    sign_up(client)
    code = code_in_mail()
    client.post("/confirm-email/", {"code": code})
    client.post("/logout/")
    user = User.objects.get(email=EMAIL)
    sign_in(client, user, PASSWORD)
    sign_in(Client(), user, "a wrong one")

    text = " ".join(f"{entry} {entry.details}" for entry in AuditEntry.objects.all())
    assert not re.search(f"{PASSWORD}|{code}|a wrong one", text)
    assert len(mail.outbox) >= 1


def test_a_wrong_code_after_the_right_password(
    client: Client, user: User, account: Account
) -> None:
    secret = set_up_app(signed_in(user))
    sign_in(client, user)

    client.post("/mfa/authenticate/", {"code": "000000"})
    failed = last(account.pk)
    client.post("/mfa/authenticate/", {"code": code_of(secret)})

    assert (failed.action, failed.about) == (Action.USER_SIGN_IN_FAILED, user.email)
    assert acts(account.pk)[-2:] == [Action.USER_SIGN_IN_FAILED, Action.USER_SIGNED_IN]


def test_a_wrong_code_where_somebody_is_asked_again(user: User, account: Account) -> None:
    browser = signed_in(user)
    set_up_app(browser)

    browser.post("/mfa/reauthenticate/", {"code": "000000"})

    assert acts(account.pk)[-1] == Action.USER_SIGN_IN_FAILED


def signed_in(user: User) -> Client:
    client = Client()
    sign_in(client, user)
    return client
