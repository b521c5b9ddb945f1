"""Who may say what is kept of a key's requests, and how."""

import pytest
from django.test import Client

from accounts.audit import SYSTEM
from accounts.models import APIKey, Membership
from tests.people import Issued, make_account, make_colleague, make_key, make_user

pytestmark = pytest.mark.django_db
CHOICE = {"which": "sampled", "one_in": "20", "redact": "patient_name, street", "days": "5"}


def browser_of(key: Issued, role: str) -> Client:
    person = make_user("stranger") if role == "stranger" else make_colleague(key.account, role)
    if role == "stranger":
        make_account(person)
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.mark.parametrize(
    ("role", "status"),
    [
        *((Membership.Role.ADMIN, 302), (Membership.Role.DEVELOPER, 302)),
        *((Membership.Role.VIEWER, 403), (Membership.Role.BILLING, 403), ("stranger", 404)),
    ],
)
def test_only_keepers_of_keys_choose(role: str, status: int) -> None:
    key = make_key()
    epoch = key.account.epoch

    answer = browser_of(key, role).post(f"/keys/{key.api_key.pk}/capture", CHOICE)

    assert answer.status_code == status
    api_key = APIKey.objects.select_related("account").get(pk=key.api_key.pk)
    if status == 302:
        assert (api_key.capture, api_key.capture_one_in) == ("sampled", 20)
        assert api_key.capture_redacts == ["patient_name", "street"]
        assert api_key.account.payload_days == 5
        assert api_key.account.epoch > epoch
    else:
        assert api_key.capture == "off"


def test_a_new_key_keeps_nothing() -> None:
    assert make_key().api_key.capture == APIKey.Capture.OFF


@pytest.mark.parametrize(
    "wrong",
    [
        *({"which": "always"}, {"one_in": "0"}, {"days": "8"}, {"days": "0"}),
        {"redact": "x" * 41},
    ],
)
def test_what_cannot_be_is_explained_and_changes_nothing(wrong: dict[str, str]) -> None:
    key = make_key()

    browser = browser_of(key, Membership.Role.DEVELOPER)
    answer = browser.post(f"/keys/{key.api_key.pk}/capture", CHOICE | wrong)

    assert answer.status_code == 422
    assert APIKey.objects.get(pk=key.api_key.pk).capture == "off"


def test_the_form_shows_what_holds_now_and_looking_changes_nothing() -> None:
    key = make_key()
    key.api_key.capture_calls("errors", redact=["street"], by=SYSTEM)

    page = browser_of(key, Membership.Role.DEVELOPER).get(f"/keys/{key.api_key.pk}/capture")

    assert 'value="street"' in page.content.decode()
