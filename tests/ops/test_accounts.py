"""The page of an account tells how it stands; what is done there is done at once, and on record."""

import pytest
from django.test import Client

from accounts.audit import Action
from accounts.models import Account, APIKey, Notice
from tests.dashboard.conftest import Scene, text_of
from tests.operators import as_operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    return as_operator(client)


def page_of(scene: Scene, act: str = "change") -> str:
    return f"/ops/accounts/account/{scene.key.account.pk}/{act}/"


def test_everything_about_an_account_is_on_one_page(scene: Scene, operator: Client) -> None:
    request_id = scene.call()

    answer = operator.get(page_of(scene))

    page = answer.content.decode()
    assert scene.key.api_key.hint in page
    assert f"/ops/requests/{request_id}" in page
    assert "Account opened" in page
    for member in scene.key.account.members.all():
        assert member.email in page
    for act in ("suspend", "view-as"):
        assert f"../{act}/" in page
    for act in ("grant", "extend", "end", "override", "credit"):
        assert f"/ops/billing/subscription/{scene.key.account.subscription.pk}/{act}/" in page


def test_an_account_is_suspended_with_a_reason_and_told(scene: Scene, operator: Client) -> None:
    before = scene.key.account.epoch

    answer = operator.post(page_of(scene, "suspend"), {"reason": "Chargebacks"}, follow=True)

    account = Account.objects.get(pk=scene.key.account.pk)
    assert account.suspended_at
    assert account.epoch > before
    assert "is suspended" in text_of(answer)
    assert "Chargebacks" in Notice.objects.get(account=account).text
    entry = account.audit_entries.get(action=Action.ACCOUNT_SUSPENDED)
    assert entry.actor == "operator operator@example.com"
    assert entry.details == {"reason": "Chargebacks"}
    assert "../suspend/" not in operator.get(page_of(scene)).content.decode()

    operator.post(page_of(scene, "reinstate"))

    assert Account.objects.get(pk=account.pk).suspended_at is None


def test_nothing_is_suspended_without_a_reason(scene: Scene, operator: Client) -> None:
    answer = operator.post(page_of(scene, "suspend"), {"reason": " "})

    assert answer.status_code == 422
    assert "Say why." in text_of(answer)
    assert Account.objects.get(pk=scene.key.account.pk).suspended_at is None


def test_a_key_is_revoked_for_ever(scene: Scene, operator: Client) -> None:
    address = f"/ops/accounts/apikey/{scene.key.api_key.pk}/revoke/"

    operator.post(address, {"compromised": "on"})

    key = APIKey.objects.get(pk=scene.key.api_key.pk)
    assert key.revoke_reason == "compromised"
    assert "It was revoked before." in text_of(operator.post(address, follow=True))


def test_a_person_is_signed_out_everywhere(scene: Scene, operator: Client) -> None:
    member = scene.key.account.memberships.get(role="owner").user
    assert scene.owner.get("/overview").status_code == 200

    operator.post(f"/ops/accounts/user/{member.pk}/sign-out/")

    assert scene.owner.get("/overview").status_code == 302
    assert scene.colleague.get("/overview").status_code == 200


@pytest.mark.parametrize("act", ["suspend", "reinstate", "view-as", "change"])
def test_members_and_strangers_do_nothing_of_it(scene: Scene, act: str) -> None:
    for browser in (scene.owner, scene.colleague, scene.stranger):
        assert browser.get(page_of(scene, act)).status_code == 403
        assert browser.post(page_of(scene, act), {"reason": "x"}).status_code == 403
    assert Account.objects.get(pk=scene.key.account.pk).suspended_at is None
