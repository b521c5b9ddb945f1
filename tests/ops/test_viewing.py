"""An operator sees an account as its owner does, changes nothing, and the account knows."""

import pytest
from django.test import Client

from accounts import viewing
from accounts.audit import Action
from accounts.models import Account, APIKey, Notice, User
from tests.access.routes import Things
from tests.dashboard.conftest import browser_of, text_of
from tests.operators import EMAIL, as_operator
from tests.test_get_changes_nothing import snapshot

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def things() -> Things:
    return Things.make()


@pytest.fixture
def visitor(things: Things, client: Client) -> Client:
    operator = as_operator(client)
    address = f"/ops/accounts/account/{things.key.account.pk}/view-as/"
    answer = operator.post(address, {"reason": "Asked for help"})
    assert answer["Location"] == "/overview"
    return operator


def test_the_operator_sees_its_pages_and_that_they_are_only_looking(
    things: Things, visitor: Client
) -> None:
    page = text_of(visitor.get("/overview"))

    assert f"You are looking at {things.key.account} as its owner sees it." in page
    assert "Asked for help" in page
    assert things.key.api_key.name in text_of(visitor.get("/keys"))
    assert visitor.get("/billing").status_code == 200
    assert visitor.get("/audit").status_code == 200


def test_its_people_know(things: Things, visitor: Client) -> None:
    account = things.key.account
    entry = account.audit_entries.get(action=Action.ACCOUNT_VIEWED)
    owner = browser_of(account.memberships.get(role="owner").user)

    assert entry.details == {"reason": "Asked for help"}
    assert entry.actor == f"operator {EMAIL}"
    assert "Looked at by an operator" in text_of(owner.get("/audit"))
    assert "Asked for help" in Notice.objects.get(account=account).text


def test_nothing_can_be_changed_wherever_it_is_sent(things: Things, visitor: Client) -> None:
    before = without_sessions()
    refused = 0

    for route, address in things.addresses():
        if not route.startswith(("ops/", "logout", "viewing/", "static")):
            answer = visitor.post(address, {"name": "x", "reason": "x", "confirm": "x"})
            assert answer.status_code == 403, route
            refused += 1

    assert refused > 60
    assert without_sessions() == before


def test_no_page_writes_even_if_it_wanted_to(things: Things, visitor: Client) -> None:
    statuses = {address: visitor.get(address).status_code for _, address in pages(things)}

    assert 500 not in statuses.values(), statuses
    assert APIKey.objects.filter(account=things.key.account).count() == 1


def test_what_was_captured_and_the_playground_stay_hidden(things: Things, visitor: Client) -> None:
    assert visitor.get("/playground").status_code == 403
    page = visitor.get(f"/logs/{things.request_id}").content.decode()
    assert "What was captured" not in page


def test_the_operators_room_goes_on_as_ever(things: Things, visitor: Client) -> None:
    address = f"/ops/accounts/account/{things.key.account.pk}/suspend/"

    assert visitor.post(address, {"reason": "Fraud"}).status_code == 302
    assert Account.objects.get(pk=things.key.account.pk).suspended_at


def test_it_ends_when_the_operator_says_so(things: Things, visitor: Client) -> None:
    answer = visitor.post("/viewing/end")

    assert answer["Location"] == f"/ops/accounts/account/{things.key.account.pk}/change/"
    assert "You are looking at" not in text_of(visitor.get("/overview"))


@pytest.mark.parametrize("how", ["time", "demotion", "deletion"])
def test_it_ends_by_itself(things: Things, visitor: Client, how: str) -> None:
    if how == "time":
        session = visitor.session
        session[viewing.SESSION_KEY] = session[viewing.SESSION_KEY] | {"until": 1}
        session.save()
    elif how == "demotion":
        User.objects.filter(email=EMAIL).update(is_staff=False)
    else:
        Account.objects.filter(pk=things.key.account.pk).update(closed_at="2026-01-01T00:00:00Z")

    assert str(things.key.account.name) not in text_of(visitor.get("/keys"))
    assert things.key.api_key.hint not in text_of(visitor.get("/keys"))


def test_nobody_is_looked_at_without_a_reason(things: Things, client: Client) -> None:
    operator = as_operator(client)
    address = f"/ops/accounts/account/{things.key.account.pk}/view-as/"

    assert operator.post(address, {"reason": ""}).status_code == 422
    assert operator.get(address).status_code == 200
    assert viewing.SESSION_KEY not in operator.session


def test_a_member_cannot_make_themselves_a_visitor(things: Things) -> None:
    stranger = browser_of(User.objects.create_user("stranger@example.com", "correct horse"))
    session = stranger.session
    session[viewing.SESSION_KEY] = {
        "account": things.key.account.pk,
        "reason": "x",
        "until": 9e12,
    }
    session.save()

    assert things.key.api_key.hint not in text_of(stranger.get("/keys"))


def pages(things: Things) -> list[tuple[str, str]]:
    """Addresses outside the operators' room."""
    found = [(route, address) for route, address in things.addresses() if "ops/" not in route]
    return [pair for pair in found if "export" not in pair[0] and "invitations" not in pair[0]]


def without_sessions() -> dict[str, str]:
    return {table: rows for table, rows in snapshot().items() if table != "django_session"}
