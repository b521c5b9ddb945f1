"""Who belongs to an account, and that nobody gives themselves or others more than they have."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts import roles
from accounts.audit import SYSTEM, AuditEntry
from accounts.models import Account, Membership, User
from tests.people import make_account, make_colleague, make_user

pytestmark = pytest.mark.django_db


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def membership(user: User, account: Account) -> Membership:
    return Membership.objects.get(user=user, account=account)


def role_of(user: User, account: Account) -> str | None:
    found = Membership.objects.filter(user=user, account=account).first()
    return found.role if found else None


def acts(account: Account) -> list[str]:
    return [entry.action for entry in AuditEntry.objects.filter(account=account).order_by("number")]


def test_an_admin_gives_a_colleague_another_role_and_it_is_on_record() -> None:
    account = make_account()
    admin, colleague = make_colleague(account, "admin"), make_colleague(account, "viewer")
    pk = membership(colleague, account).pk

    answer = browser_of(admin).post(f"/team/members/{pk}", {"role": "developer"})

    assert (answer.status_code, answer["Location"]) == (302, "/team")
    assert role_of(colleague, account) == "developer"
    entry = AuditEntry.objects.get(action="member.role_changed")
    assert (entry.actor, entry.about) == (admin.email, colleague.email)
    assert entry.details == {"before": "viewer", "now": "developer"}


@pytest.mark.parametrize("role", ["owner", "Owner", "", "root", "admin' OR 1=1"])
def test_nobody_is_made_an_owner_or_what_does_not_exist(role: str) -> None:
    owner = make_user()
    account = make_account(owner)
    colleague = make_colleague(account, "viewer")
    pk = membership(colleague, account).pk

    answer = browser_of(owner).post(f"/team/members/{pk}", {"role": role})

    assert answer.status_code == 422
    assert role_of(colleague, account) == "viewer"
    assert role_of(owner, account) == "owner"


@pytest.mark.parametrize(
    "field",
    [
        "role",
        "is_owner",
        "account",
        "account_id",
        "user",
        "user_id",
        "membership",
        "giver",
        "is_staff",
        "is_superuser",
        "pk",
        "id",
    ],
)
@pytest.mark.parametrize("path", ["/settings", "/settings/account", "/team/leave", "/keys/new"])
def test_no_form_takes_a_field_that_it_does_not_show(path: str, field: str) -> None:
    account = make_account()
    other = make_account()
    viewer = make_colleague(account, "viewer")
    pk = membership(viewer, account).pk

    browser_of(viewer).post(path, {"name": "Ada", field: "owner"})
    browser_of(viewer).post(path, {"name": "Ada", field: str(other.pk)})

    viewer.refresh_from_db()
    assert not viewer.is_staff
    assert not viewer.is_superuser
    assert Membership.objects.filter(pk=pk).exists() is (path != "/team/leave")
    assert role_of(viewer, account) in {"viewer", None}
    assert role_of(viewer, other) is None


@pytest.mark.parametrize("role", ["developer", "billing", "viewer"])
def test_a_member_without_the_right_changes_nobody(role: str) -> None:
    account = make_account()
    member, victim = make_colleague(account, role), make_colleague(account, "viewer")
    pk, own = membership(victim, account).pk, membership(member, account).pk
    browser = browser_of(member)

    refused = [
        browser.post(f"/team/members/{pk}", {"role": "developer"}),
        browser.post(f"/team/members/{own}", {"role": "admin"}),
        browser.post(f"/team/members/{pk}/remove"),
        browser.post("/team/invitations", {"email": "new@example.com", "role": "viewer"}),
        browser.post("/team/transfer", {"heir": own}),
    ]

    assert {answer.status_code for answer in refused} == {403}
    assert (role_of(member, account), role_of(victim, account)) == (role, "viewer")


def test_a_stranger_finds_no_member_of_others() -> None:
    account = make_account()
    pk = membership(make_colleague(account), account).pk
    stranger = make_user("stranger")
    make_account(stranger)
    browser = browser_of(stranger)

    answers = [
        browser.get(f"/team/members/{pk}"),
        browser.post(f"/team/members/{pk}", {"role": "viewer"}),
        browser.post(f"/team/members/{pk}/remove"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert Membership.objects.get(pk=pk).role == "developer"


def test_an_admin_can_do_nothing_to_the_owner() -> None:
    owner = make_user()
    account = make_account(owner)
    admin = make_colleague(account, "admin")
    pk = membership(owner, account).pk
    browser = browser_of(admin)

    answers = [
        browser.post(f"/team/members/{pk}", {"role": "viewer"}),
        browser.post(f"/team/members/{pk}/remove"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert role_of(owner, account) == "owner"


def test_whoever_lost_their_role_a_moment_ago_gives_none() -> None:
    account = make_account()
    admin = membership(make_colleague(account, "admin"), account)
    victim = membership(make_colleague(account, "viewer"), account)
    Membership.objects.filter(pk=admin.pk).update(role="viewer")

    with pytest.raises(PermissionDenied):
        victim.change_role("admin", giver=admin, by=SYSTEM)

    assert role_of(victim.user, account) == "viewer"


def test_the_owner_cannot_leave_and_a_colleague_can() -> None:
    owner = make_user()
    account = make_account(owner)
    colleague = make_colleague(account)

    refused = browser_of(owner).post("/team/leave")
    browser_of(colleague).post("/team/leave")

    assert refused.status_code == 403
    assert "never without an owner" in refused.content.decode()
    assert role_of(owner, account) == "owner"
    assert role_of(colleague, account) is None
    assert acts(account)[-1] == "member.left"


def test_a_removed_member_sees_nothing_from_the_next_click_on() -> None:
    owner = make_user()
    account = make_account(owner)
    colleague = make_colleague(account)
    theirs = browser_of(colleague)
    before = theirs.get("/keys").status_code

    browser_of(owner).post(f"/team/members/{membership(colleague, account).pk}/remove")

    assert (before, theirs.get("/keys").status_code) == (200, 403)
    assert acts(account)[-1] == "member.removed"


def test_ownership_is_transferred_whole_and_once() -> None:
    owner = make_user()
    account = make_account(owner)
    heir = make_colleague(account, "viewer")

    form = {"heir": membership(heir, account).pk}
    answer = browser_of(owner).post("/team/transfer", form)
    again = browser_of(owner).post("/team/transfer", form)

    assert (answer.status_code, again.status_code) == (302, 403)
    assert (role_of(owner, account), role_of(heir, account)) == ("admin", "owner")
    assert acts(account)[-1] == "ownership.transferred"


def test_ownership_goes_to_no_stranger_and_not_to_oneself() -> None:
    owner, stranger = make_user(), make_user("stranger")
    account, other = make_account(owner), make_account(stranger)
    browser = browser_of(owner)

    answers = [
        browser.post("/team/transfer", {"heir": membership(stranger, other).pk}),
        browser.post("/team/transfer", {"heir": membership(owner, account).pk}),
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert role_of(owner, account) == "owner"


def test_the_database_knows_one_owner_only() -> None:
    account = make_account()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_colleague(account, "owner")


def test_what_may_be_given_is_never_more_than_what_one_has() -> None:
    for role in roles.Role:
        for given in roles.grantable_by(role):
            assert roles.rights_of(given) <= roles.rights_of(role)
            assert given != "owner"


def test_a_member_of_two_accounts_switches_between_them(client: Client) -> None:
    user = make_user()
    first, second = make_account(user), make_account()
    Membership.objects.create(user=user, account=second, role="viewer")
    stranger = make_account()
    client.force_login(user)
    seen = [client.get("/team").context["request"].account.pk]

    for pk in (second.pk, stranger.pk, "", "x", 10**30):
        client.post("/settings/account/switch", {"account": pk})
        seen.append(client.get("/team").context["request"].account.pk)

    assert seen == [first.pk, *[second.pk] * 5]


def test_switching_leads_to_no_other_site(client: Client) -> None:
    user = make_user()
    account = make_account(user)
    client.force_login(user)

    places = [
        client.post("/settings/account/switch", {"account": account.pk, "next": place})["Location"]
        for place in ("/logs", "//evil.example/", "https://evil.example/", "javascript:alert(1)")
    ]

    assert places == ["/logs", "/overview", "/overview", "/overview"]


def test_a_renamed_account_keeps_its_name_on_one_line(client: Client) -> None:
    owner = make_user()
    account = make_account(owner)
    client.force_login(owner)

    client.post("/settings/account", {"name": "  Ada\r\nBcc: all@example.com "})

    account.refresh_from_db()
    assert account.name == "Ada Bcc: all@example.com"
    assert acts(account)[-1] == "account.renamed"


def test_many_members_cost_no_more_queries_than_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    owner = make_user()
    account = make_account(owner)
    for _ in range(9):
        make_colleague(account)
    browser = browser_of(owner)
    browser.get("/team")

    with django_assert_max_num_queries(9):
        browser.get("/team")
