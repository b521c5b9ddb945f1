"""From the sign-up form to an account with a plan, by a code that came by mail."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import Membership, User
from billing.models import Subscription
from tests.people import make_plan, make_user

pytestmark = pytest.mark.django_db
EMAIL, PASSWORD = "new@example.com", "a good long passphrase"


@pytest.fixture(autouse=True)
def _trial() -> None:
    plan = make_plan("free-trial", requests_per_minute=20)
    plan.trial = True
    plan.save()


def code_in_mail() -> str:
    found = re.search(r"^\s*([A-Z0-9]+-[A-Z0-9]+)\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    return found[1]


def sign_up(client: Client, email: str = EMAIL) -> None:
    client.post("/signup/", {"email": email, "password1": PASSWORD})


def make_verified(name: str = "owner") -> User:
    user = make_user(name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def test_a_code_from_the_mail_opens_the_account(client: Client) -> None:
    sign_up(client)
    before = client.get("/overview")

    answer = client.post("/confirm-email/", {"code": code_in_mail()})

    assert (before.status_code, before["Location"]) == (302, "/login/?next=/overview")
    assert (answer.status_code, answer["Location"]) == (302, "/overview")
    assert client.get("/overview").status_code == 200


def test_a_newcomer_owns_an_account_on_the_free_trial(client: Client) -> None:
    sign_up(client)

    user = User.objects.get(email=EMAIL)
    membership = Membership.objects.get(user=user)
    subscription = Subscription.objects.get(account=membership.account)
    assert membership.role == "owner"
    assert (subscription.plan.slug, subscription.status) == ("free-trial", "incomplete")
    client.post("/confirm-email/", {"code": code_in_mail()})
    assert Subscription.objects.get(account=membership.account).status == "trialing"


def test_a_wrong_code_opens_nothing_and_says_so(client: Client) -> None:
    sign_up(client)

    answer = client.post("/confirm-email/", {"code": "WRONG-CODE"})

    assert answer.status_code == 200
    assert "Incorrect code" in answer.content.decode()
    assert client.get("/overview").status_code == 302


def test_an_address_that_is_known_looks_like_any_other(client: Client) -> None:
    known = make_verified()

    answer = client.post("/signup/", {"email": known.email, "password1": PASSWORD})
    other = Client().post("/signup/", {"email": EMAIL, "password1": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (other.status_code, other["Location"])
    assert User.objects.filter(email=known.email).count() == 1
    assert not re.search(r"[A-Z0-9]{3}-[A-Z0-9]{3}", str(mail.outbox[0].body))


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"email": "no address", "password1": PASSWORD}, "valid email"),
        ({"email": "", "password1": PASSWORD}, "required"),
        ({"email": EMAIL, "password1": "short"}, "at least 10 characters"),
        ({"email": EMAIL, "password1": "password123"}, "too common"),
    ],
)
def test_what_is_wrong_with_a_sign_up_stands_beside_its_field(
    client: Client, form: dict[str, str], complaint: str
) -> None:
    page = client.post("/signup/", form).content.decode()

    assert complaint in page
    assert 'aria-invalid="true"' in page
    assert not User.objects.exists()


def test_a_wrong_password_does_not_tell_whether_the_address_is_known(client: Client) -> None:
    known = make_verified()

    one = client.post("/login/", {"login": known.email, "password": "wrong"})
    other = client.post("/login/", {"login": EMAIL, "password": "wrong"})

    assert one.status_code == other.status_code == 200
    assert one.context["form"].errors == other.context["form"].errors


def test_a_code_sets_a_new_password(client: Client) -> None:
    user = make_verified()
    client.post("/password/reset/", {"email": user.email})

    client.post("/password/reset/confirm/", {"code": code_in_mail()})
    client.post("/password/reset/complete/", {"password1": PASSWORD, "password2": PASSWORD})

    assert Client().login(email=user.email, password=PASSWORD)
    assert not Client().login(email=user.email, password="correct horse")


def test_a_reset_for_an_unknown_address_looks_like_any_other(client: Client) -> None:
    known = make_verified()

    one = client.post("/password/reset/", {"email": known.email})
    other = Client().post("/password/reset/", {"email": EMAIL})

    assert (one.status_code, one["Location"]) == (other.status_code, other["Location"])


def test_guessing_is_stopped(client: Client) -> None:
    known = make_verified()

    answers = [
        client.post("/login/", {"login": known.email, "password": f"wrong {number}"})
        for number in range(12)
    ]

    assert "Too many failed login attempts" in answers[-1].content.decode()
    assert client.get("/overview").status_code != 200


@pytest.mark.parametrize("path", ["/", "/login/", "/signup/", "/password/reset/", "/mailbox"])
def test_the_entrance_is_open_to_everybody(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/password/change/", "/email/", "/logout/", "/reauthenticate/"])
def test_the_account_pages_of_a_member_have_our_look(client: Client, path: str) -> None:
    client.force_login(make_verified())

    page = client.get(path, follow=True).content.decode()

    assert "css/site." in page
    assert 'id="main"' in page
