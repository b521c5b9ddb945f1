"""Who joins is served once they have shown that their address is theirs; once for each person."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import Action
from accounts.models import Account, Membership, Notice, User
from billing.models import Subscription, Trial
from dashboard.account_deletion import SETTLED, delete_due_accounts
from tests.accounts.test_entrance import EMAIL, PASSWORD, code_in_mail, make_verified, sign_up
from tests.billing.newcomers import acts, at_once, trial_plan
from tests.dashboard.conftest import browser_of, text_of
from tests.people import make_account, make_plan

pytestmark = pytest.mark.django_db
DOUBTFUL = "new@mailinator.com"


@pytest.fixture(autouse=True)
def _offers() -> None:
    trial_plan()
    cache.clear()


@pytest.fixture
def operator() -> Client:
    user = User.objects.create_superuser("operator@example.com", "correct horse")
    return browser_of(user)


def account_of(email: str = EMAIL) -> Account:
    return Account.objects.get(memberships__user__email=email, memberships__role="owner")


def plan_of(email: str = EMAIL) -> Subscription:
    return Subscription.objects.get(account=account_of(email))


def join(client: Client, email: str = EMAIL, ip: str = "192.0.2.7") -> str:
    """What the page says to somebody who signs up and enters the code."""
    sign_up(client, email)
    client.post("/confirm-email/", {"code": code_in_mail()}, REMOTE_ADDR=ip)
    return text_of(client.get("/overview"))


def test_the_trial_begins_with_the_code_from_the_mail(client: Client) -> None:
    sign_up(client)
    before = plan_of()

    client.post("/confirm-email/", {"code": code_in_mail()})

    assert (before.status, before.is_served) == ("incomplete", False)
    assert plan_of().status == "trialing"
    assert plan_of().current_period_end == plan_of().started_at + timedelta(days=14)
    done = acts(account_of())
    assert done.index(Action.EMAIL_VERIFIED) < done.index(Action.TRIAL_GRANTED)


def test_a_wrong_code_begins_nothing(client: Client) -> None:
    sign_up(client)

    client.post("/confirm-email/", {"code": "WRONG-CODE"})

    assert plan_of().status == "incomplete"
    assert not Trial.objects.exists()


def test_a_code_for_a_new_password_shows_the_address_as_well(client: Client) -> None:
    sign_up(client)
    browser = Client()
    browser.post("/password/reset/", {"email": EMAIL})
    browser.post("/password/reset/confirm/", {"code": code_in_mail()})
    browser.post("/password/reset/complete/", {"password1": PASSWORD, "password2": PASSWORD})
    browser.post("/login/", {"login": EMAIL, "password": PASSWORD})

    assert EmailAddress.objects.get(email=EMAIL).verified
    assert plan_of().status == "trialing"


def test_a_product_that_begins_with_a_free_plan_begins_at_once(client: Client) -> None:
    free = make_plan("free")
    free.position, free.interval_months = 0, 0
    free.save()
    plan = trial_plan()
    plan.position = 1
    plan.save()

    sign_up(client, DOUBTFUL)

    assert (plan_of(DOUBTFUL).plan, plan_of(DOUBTFUL).status) == (free, "active")
    assert not Trial.objects.exists()


def test_a_doubtful_newcomer_is_told_to_wait_and_why_keys_are_refused(client: Client) -> None:
    said = join(client, DOUBTFUL)

    assert "Every request is refused" in said
    assert "is being looked at by a person" in said
    assert plan_of(DOUBTFUL).status == "incomplete"
    client.post("/logout/")
    client.post("/login/", {"login": DOUBTFUL, "password": PASSWORD})
    assert Trial.objects.count() == 1
    assert acts(account_of(DOUBTFUL)).count(Action.TRIAL_HELD) == 1


def test_who_is_fine_hears_nothing_of_it(client: Client) -> None:
    assert "refused" not in join(client)


def test_a_second_address_of_a_person_has_an_account_and_no_trial(client: Client) -> None:
    join(client)

    said = join(Client(), "new+again@example.com")

    assert "there is one for each person" in said
    assert plan_of("new+again@example.com").ended_because == "no_trial"
    assert plan_of().status == "trialing"


def test_the_fourth_of_a_network_waits(client: Client, settings: Settings) -> None:
    settings.TRIALS_PER_NETWORK = 3

    for number in range(4):
        join(Client(), f"new{number}@example.com", ip=f"198.51.100.{number}")

    states = list(Trial.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["granted"] * 3 + ["in_review"]


def test_another_address_later_asks_for_nothing(client: Client) -> None:
    join(client)
    client.post("/reauthenticate/", {"password": PASSWORD})

    client.post("/email/", {"action_add": "", "email": "second@example.com"})
    client.post("/confirm-email/", {"code": code_in_mail()})

    assert User.objects.get().email == "second@example.com"
    assert Trial.objects.count() == 1
    assert plan_of("second@example.com").status == "trialing"


def test_an_account_that_waits_is_not_asked_about_again_with_another_address(
    client: Client,
) -> None:
    join(client, DOUBTFUL)
    client.post("/reauthenticate/", {"password": PASSWORD})

    client.post("/email/", {"action_add": "", "email": "second@example.com"})
    client.post("/confirm-email/", {"code": code_in_mail()})

    assert Trial.objects.get().email == DOUBTFUL
    assert plan_of("second@example.com").status == "incomplete"


def test_a_second_account_has_no_trial_and_both_pages_say_so(client: Client) -> None:
    join(client)
    Membership.objects.all().delete()

    before = text_of(client.get("/settings"))
    after = text_of(client.post("/settings/account/open", follow=True))

    assert "You have asked for a trial before" in before
    assert "Choose a plan under Billing" in after
    assert plan_of().ended_because == "no_trial"


def test_the_end_of_an_account_does_not_make_a_newcomer_of_its_owner(client: Client) -> None:
    join(client)
    account = account_of()
    Account.objects.update(closed_at=timezone.now() - SETTLED, deletion_due_at=timezone.now())
    Membership.objects.all().delete()
    delete_due_accounts()

    client.post("/settings/account/open")

    assert not Account.objects.filter(pk=account.pk).exists()
    first, second = Trial.objects.order_by("pk")
    assert (first.account, first.email, first.state) == (None, "", "granted")
    assert (second.account, second.state) == (account_of(), "refused")


def test_a_first_account_that_is_opened_later_has_one(client: Client) -> None:
    user = make_verified("colleague")
    browser = browser_of(user)

    before = text_of(browser.get("/settings"))
    browser.post("/settings/account/open", REMOTE_ADDR="192.0.2.7")

    assert "It begins on the plan Free-Trial" in before
    assert plan_of(user.email).status == "trialing"


def test_without_a_verified_address_a_later_account_waits() -> None:
    user = make_verified()
    EmailAddress.objects.update(verified=False)

    browser_of(user).post("/settings/account/open")

    assert plan_of(user.email).status == "incomplete"
    assert not Trial.objects.exists()


def test_a_colleague_who_becomes_the_owner_of_an_account_has_not_used_their_trial() -> None:
    owner, heir = make_verified(), make_verified("heir")
    browser_of(owner).post("/settings/account/open")
    Membership.objects.filter(user=owner).update(user=heir)

    assert not Trial.objects.had_by(heir.email).exists()
    assert Trial.objects.had_by(owner.email).exists()


def test_an_operator_who_opens_an_account_is_not_asked(
    operator: Client, settings: Settings
) -> None:
    settings.TRIALS_PER_DAY = 0

    operator.post("/settings/account/open")

    assert plan_of("operator@example.com").status == "trialing"
    assert Trial.objects.get().decided_by == "operator operator@example.com"


def test_operators_see_those_that_wait_first_and_why(operator: Client, client: Client) -> None:
    join(client, DOUBTFUL)
    join(Client(), "later@example.com")

    page = text_of(operator.get("/ops/billing/trial/"))
    waiting = text_of(operator.get("/ops/billing/trial/?state__exact=in_review"))

    assert page.index(DOUBTFUL) < page.index("later@example.com")
    assert "made to be thrown away" in waiting
    assert "later@example.com" not in waiting
    trial = Trial.objects.get(email=DOUBTFUL)
    one = operator.get(f"/ops/billing/trial/{trial.pk}/change/").content.decode()
    assert trial.person not in one


@pytest.mark.parametrize(
    ("action", "status", "subject"),
    [("grant", "trialing", "has begun"), ("refuse", "canceled", "was not granted")],
)
def test_an_operator_decides_once(
    operator: Client, client: Client, action: str, status: str, subject: str
) -> None:
    join(client, DOUBTFUL)
    form = {"action": action, "_selected_action": [Trial.objects.get().pk]}

    first = text_of(operator.post("/ops/billing/trial/", form, follow=True))
    again = text_of(operator.post("/ops/billing/trial/", form, follow=True))

    assert plan_of(DOUBTFUL).status == status
    assert subject in Notice.objects.get(account=account_of(DOUBTFUL)).subject
    entry = account_of(DOUBTFUL).audit_entries.latest("number")
    assert entry.actor == "operator operator@example.com"
    assert " 1." in first
    assert "1 had been decided before" in again


def test_members_do_not_see_the_queue(client: Client) -> None:
    join(client, DOUBTFUL)
    form = {"action": "grant", "_selected_action": [Trial.objects.get().pk]}

    answers = [client.get("/ops/billing/trial/"), client.post("/ops/billing/trial/", form)]

    assert all(answer.status_code in {302, 403} for answer in answers)
    assert plan_of(DOUBTFUL).status == "incomplete"


@pytest.mark.django_db(transaction=True)
def test_a_code_that_is_sent_twice_at_once_begins_one_trial(client: Client) -> None:
    sign_up(client)
    code = code_in_mail()

    def confirm() -> object:
        twin = Client()
        twin.cookies = client.cookies.copy()
        return twin.post("/confirm-email/", {"code": code}).status_code

    at_once([confirm, confirm])

    assert Trial.objects.get().state == "granted"
    assert plan_of().status == "trialing"
    assert acts(account_of()).count(Action.TRIAL_GRANTED) == 1


def test_a_stranger_is_as_before(client: Client) -> None:
    stranger = make_account()

    join(client)

    assert Subscription.objects.get(account=stranger).plan.slug == "monthly"
    assert not stranger.trials.exists()
