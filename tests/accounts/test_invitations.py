"""A link in a mail lets in whom it was sent to, once, as what they were invited as."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEntry
from accounts.invitations import digest
from accounts.models import Invitation, Membership, User
from tests.accounts.test_entrance import PASSWORD, code_in_mail, make_verified
from tests.accounts.test_team import browser_of, membership, role_of
from tests.dashboard.conftest import text_of
from tests.people import make_account, make_colleague, make_plan, make_user

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "new@example.com"


def invite(owner: User, email: str = NEW, role: str = "developer") -> str:
    """The path of the link that was mailed."""
    answer = browser_of(owner).post("/team/invitations", {"email": email, "role": role})
    assert answer.status_code == 302
    assert mail.outbox[-1].to == [email]
    return link_in_mail()


def link_in_mail() -> str:
    found = re.search(r"https?://[^/]+(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_somebody_who_is_here_accepts_and_sees_the_account() -> None:
    owner, invited = make_user(), make_verified("invited")
    account = make_account(owner)
    browser = browser_of(invited)
    link = invite(owner, invited.email)

    page = browser.get(link).content.decode()
    answer = browser.post(f"{link}/accept")

    assert "developer" in page
    assert (answer.status_code, answer["Location"]) == (302, "/overview")
    assert role_of(invited, account) == "developer"
    assert browser.get("/team").context["request"].account.pk == account.pk
    actions = AuditEntry.objects.filter(account=account).values_list("action", flat=True)
    assert {"member.invited", "invitation.accepted"} <= set(actions)


def test_somebody_who_is_new_signs_up_on_the_way(client: Client) -> None:
    owner = make_user()
    account = make_account(owner)
    plan = make_plan("free-trial")
    plan.trial = True
    plan.save()
    link = invite(owner)

    assert f"/signup/?next={link}" in client.get(link).content.decode()
    client.post(f"/signup/?next={link}", {"email": NEW, "password1": PASSWORD, "next": link})
    verified = client.post("/confirm-email/", {"code": code_in_mail()})
    client.post(f"{link}/accept")

    assert verified["Location"] == link
    assert role_of(User.objects.get(email=NEW), account) == "developer"


def test_the_token_is_in_the_mail_and_nowhere_else() -> None:
    owner = make_user()
    make_account(owner)
    token = invite(owner).rpartition("/")[2]

    row = Invitation.objects.get()
    assert bytes(row.digest) == digest(token)
    assert token not in str(Invitation.objects.values().get())
    assert token not in str(list(AuditEntry.objects.values()))
    assert token not in browser_of(owner).get("/team").content.decode()


def test_a_link_is_good_once() -> None:
    owner, invited = make_user(), make_verified("invited")
    account = make_account(owner)
    link = invite(owner, invited.email)
    browser = browser_of(invited)
    browser.post(f"{link}/accept")
    Membership.objects.filter(user=invited).delete()

    again = browser.post(f"{link}/accept")

    assert (again.status_code, browser.get(link).status_code) == (404, 404)
    assert role_of(invited, account) is None


def test_a_wrong_a_late_and_a_withdrawn_link_look_alike() -> None:
    owner, invited = make_user(), make_verified("invited")
    account = make_account(owner)
    late, withdrawn = invite(owner, invited.email), invite(owner, "other@example.com")
    Invitation.objects.filter(email=invited.email).update(expires_at=timezone.now())
    pk = Invitation.objects.get(email="other@example.com").pk
    browser_of(owner).post(f"/team/invitations/{pk}/withdraw")
    browser = browser_of(invited)

    links = (late, withdrawn, "/invitations/" + "x" * 43)
    pages = {text_of(browser.get(link)) for link in links}
    answers = {browser.post(f"{link}/accept").status_code for link in (late, withdrawn)}

    assert len(pages) == 1
    assert answers == {404}
    assert role_of(invited, account) is None


@pytest.mark.parametrize("verified", [True, False])
def test_only_the_invited_address_is_let_in_once_it_is_verified(verified: bool) -> None:
    owner, other = make_user(), make_user("other")
    account = make_account(owner)
    address = other.email if verified else NEW
    EmailAddress.objects.create(user=other, email=address, verified=verified, primary=True)
    link = invite(owner)

    answer = browser_of(other).post(f"{link}/accept")

    assert answer.status_code == 403
    assert NEW not in answer.content.decode()
    assert role_of(other, account) is None
    assert Invitation.objects.open().exists()


def test_accepting_needs_a_sign_in(client: Client) -> None:
    owner = make_user()
    make_account(owner)
    link = invite(owner)

    answer = client.post(f"{link}/accept")

    assert answer["Location"].startswith("/login/")


def test_a_known_and_an_unknown_address_are_invited_alike() -> None:
    owner, known = make_user(), make_verified("known")
    make_account(owner)
    make_account(known)
    browser = browser_of(owner)

    answers = [
        browser.post("/team/invitations", {"email": email, "role": "viewer"}, follow=True)
        for email in (known.email, NEW)
    ]
    said = [a.content.decode().replace(known.email, "X").count("is on its way") for a in answers]

    assert said == [1, 1]
    letters = [str(letter.body) for letter in mail.outbox[-2:]]
    assert len({re.sub(r"/invitations/\S+", "", letter) for letter in letters}) == 1


def test_sending_again_makes_the_earlier_link_void_and_not_more_than_once_a_minute() -> None:
    owner, invited = make_user(), make_verified("invited")
    make_account(owner)
    first = invite(owner, invited.email)
    pk, browser = Invitation.objects.get().pk, browser_of(owner)

    browser.post(f"/team/invitations/{pk}/resend")
    at_once = len(mail.outbox)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(minutes=2))
    browser.post(f"/team/invitations/{pk}/resend")

    assert (at_once, len(mail.outbox)) == (1, 2)
    theirs = browser_of(invited)
    assert theirs.get(first).status_code == 404
    assert theirs.get(link_in_mail()).status_code == 200


@pytest.mark.parametrize(
    ("email", "role", "complaint"),
    [
        ("no address", "viewer", "valid email"),
        (NEW, "owner", "not one of the available choices"),
        (NEW, "", "This field is required"),
        ("MEMBER", "viewer", "is a member already"),
        ("INVITED", "viewer", "is invited already"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_not_sent(
    email: str, role: str, complaint: str
) -> None:
    owner = make_user()
    member = make_colleague(make_account(owner))
    invite(owner, "invited@example.com")
    email = {"MEMBER": member.email.upper(), "INVITED": "Invited@Example.com"}.get(email, email)

    answer = browser_of(owner).post("/team/invitations", {"email": email, "role": role})

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert len(mail.outbox) == 1


def test_what_a_removed_or_demoted_member_offered_is_void() -> None:
    owner = make_user()
    account = make_account(owner)
    leaver, demoted = make_colleague(account, "admin"), make_colleague(account, "admin")
    links = [invite(leaver, "a@example.com", "viewer"), invite(demoted, "b@example.com", "admin")]
    browser = browser_of(owner)

    browser.post(f"/team/members/{membership(leaver, account).pk}/remove")
    browser.post(f"/team/members/{membership(demoted, account).pk}", {"role": "developer"})

    assert [Client().get(link).status_code for link in links] == [404, 404]


def test_a_stranger_neither_sends_nor_withdraws_invitations_of_others() -> None:
    owner, stranger = make_user(), make_user("stranger")
    make_account(owner)
    make_account(stranger)
    invite(owner)
    pk, browser = Invitation.objects.get().pk, browser_of(stranger)

    answers = [browser.post(f"/team/invitations/{pk}/{verb}") for verb in ("resend", "withdraw")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert Invitation.objects.open().count() == 1


def test_a_member_who_accepts_again_stays_what_they_are() -> None:
    owner, invited = make_user(), make_verified("invited")
    account = make_account(owner)
    link = invite(owner, invited.email, "viewer")
    Membership.objects.create(user=invited, account=account, role="admin")

    browser_of(invited).post(f"{link}/accept")

    assert role_of(invited, account) == "admin"
