"""One act refuses every key of an account and ends every session of its other members."""

import pytest

from accounts.audit import AuditEntry
from accounts.models import Membership
from tests.dashboard.conftest import browser_of
from tests.people import make_account, make_colleague, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("colleagues", "told"), [(0, None), (1, "the one other member"), (3, "the 3 other members")]
)
def test_it_is_told_how_many_would_be_signed_out(colleagues: int, told: str | None) -> None:
    owner = make_user()
    account = make_account(owner)
    for _ in range(colleagues):
        make_colleague(account)

    page = browser_of(owner).get("/keys/freeze").content.decode()

    assert (f"Sign out {told}, too" in page) if told else ("Sign out the" not in page)


@pytest.mark.parametrize(("role", "ends"), [("owner", True), ("admin", True), ("developer", False)])
def test_whoever_manages_members_signs_them_out_with_the_same_act(role: str, ends: bool) -> None:
    owner = make_user()
    account = make_account(owner)
    colleague, other_account = make_colleague(account, "viewer"), make_account()
    Membership.objects.create(account=other_account, user=colleague, role="viewer")
    actor = owner if role == "owner" else make_colleague(account, role)
    here, there = browser_of(actor), browser_of(colleague)
    stranger = browser_of(make_colleague(other_account))

    here.post("/keys/freeze", {"sign_out": "on"})

    account.refresh_from_db()
    assert account.frozen_at
    assert here.get("/keys").status_code == stranger.get("/keys").status_code == 200
    assert there.get("/keys").status_code == (302 if ends else 200)
    assert AuditEntry.objects.filter(chain=account.pk, action="sessions.ended").exists() is ends
