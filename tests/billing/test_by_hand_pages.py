"""The pages at ``/ops/`` on which plans are changed by hand, and who gets them."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client

from accounts.audit import Action, AuditEntry
from accounts.models import User
from billing import clock
from billing.limits import NAMES
from billing.models import Override, Subscription
from tests.dashboard.conftest import browser_of, text_of
from tests.operators import as_operator
from tests.people import make_account, make_key, make_plan, make_price, make_user

pytestmark = pytest.mark.django_db
SOON = (clock.now() + timedelta(days=9)).replace(second=0, microsecond=0)
PERMISSION = {
    "grant": "change_subscription",
    "extend": "change_subscription",
    "end": "change_subscription",
    "override": "add_override",
}


def entered(moment: datetime) -> str:
    """As a browser sends it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"


@pytest.fixture
def subscription() -> Subscription:
    return make_key(requests_per_day=100).account.subscription


@pytest.fixture
def operator() -> Client:
    return browser_of(User.objects.create_superuser("operator@example.com", "correct horse"))


def page_of(subscription: Subscription, act: str) -> str:
    return f"/ops/billing/subscription/{subscription.pk}/{act}/"


def sent(act: str) -> dict[str, object]:
    """A form filled in so that the act is done."""
    return {
        "grant": {"plan": make_plan("enterprise").pk, "until": entered(SOON), "reason": "r"},
        "extend": {"until": entered(SOON + timedelta(days=9)), "reason": "r"},
        "end": {"reason": "r"},
        "override": {"requests_per_day": "5000", "reason": "r"},
    }[act]


def now(subscription: Subscription) -> Subscription:
    return Subscription.objects.select_related("plan").get(pk=subscription.pk)


def snapshot() -> list[object]:
    rows = [*Subscription.objects.order_by("pk").values(), *Override.objects.values()]
    return [*rows, AuditEntry.objects.count()]


def having(subscription: Subscription, **fields: object) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(**fields)


def staff(*permissions: str) -> Client:
    user = make_user("staff")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return browser_of(User.objects.get(pk=user.pk))


def said(answer: HttpResponse) -> str:
    return unescape(text_of(answer))


@pytest.mark.parametrize(
    ("act", "action"),
    [
        ("grant", Action.PLAN_GRANTED),
        ("extend", Action.PLAN_RENEWED),
        ("end", Action.PLAN_EXPIRED),
        ("override", Action.LIMITS_OVERRIDDEN),
    ],
)
def test_an_operator_does_it_and_is_told(
    act: str, action: Action, subscription: Subscription, operator: Client
) -> None:
    having(subscription, current_period_end=SOON)
    other = make_account().subscription
    before = Subscription.objects.values().get(pk=other.pk)

    answer = operator.post(page_of(subscription, act), sent(act), follow=True)

    entry = AuditEntry.objects.latest("pk")
    assert answer.redirect_chain == [(f"/ops/billing/subscription/{subscription.pk}/change/", 302)]
    assert 'class="callout callout-ok"' in answer.content.decode()
    assert (entry.action, entry.account_id) == (action, subscription.account_id)
    assert (entry.actor, entry.details["reason"]) == ("operator operator@example.com", "r")
    assert Subscription.objects.values().get(pk=other.pk) == before


def test_moments_are_those_of_utc_wherever_the_operator_sits(
    subscription: Subscription, operator: Client
) -> None:
    operator.cookies["timezone"] = "Asia/Tokyo"

    operator.post(page_of(subscription, "grant"), sent("grant"))

    assert now(subscription).plan.slug == "enterprise"
    assert now(subscription).current_period_end == SOON


def test_an_override_is_agreed_on_and_ended(subscription: Subscription, operator: Client) -> None:
    form = {"requests_per_day": "5000", "tokens_per_day": "0", "reason": "A launch."}
    operator.post(page_of(subscription, "override"), form)
    agreed = now(subscription).limit_overrides
    override = Override.objects.get()
    end = f"/ops/billing/override/{override.pk}/end/"

    listed = operator.get(f"/ops/billing/subscription/{subscription.pk}/change/")
    looked_at = operator.get(end)
    answers = [operator.post(end, follow=True) for _ in range(2)]

    assert agreed == {"requests_per_day": 5000, "tokens_per_day": 0}
    assert end in listed.content.decode()
    assert "A launch." in said(looked_at)
    assert "requests per day 5,000" in said(looked_at)
    assert "Ended: A launch." in said(answers[0])
    assert "It was over already." in said(answers[1])
    assert now(subscription).limit_overrides == {}
    assert AuditEntry.objects.filter(action=Action.LIMITS_OVERRIDE_ENDED).count() == 1


def test_an_override_can_begin_later(subscription: Subscription, operator: Client) -> None:
    later = {"starts_at": entered(SOON), "ends_at": entered(SOON + timedelta(days=1))}

    operator.post(page_of(subscription, "override"), sent("override") | later)

    override = Override.objects.get()
    assert (override.starts_at, override.ends_at) == (SOON, SOON + timedelta(days=1))
    assert now(subscription).limit_overrides == {}
    for state, there in (("planned", True), ("now", False), ("over", False)):
        page = operator.get("/ops/billing/override/", {"state": state}).content.decode()
        assert (f"/ops/billing/override/{override.pk}/end/" in page) is there


@pytest.mark.parametrize(
    ("act", "wrong", "sentence"),
    [
        ("grant", {"plan": ""}, "Choose a plan."),
        ("grant", {"plan": "999999"}, "not one of the available choices"),
        ("grant", {"reason": " "}, "Say why."),
        ("grant", {"reason": "x" * 301}, "at most 300 characters"),
        ("grant", {"reason": "a\0b"}, "Null characters are not allowed."),
        ("grant", {"until": "tomorrow"}, "Write it as 2027-01-31T12:00."),
        ("grant", {"until": "2020-01-01T00:00"}, "This moment is past."),
        ("grant", {"until": "9999-12-31T23:59"}, "Choose a year from 2000 to 2999."),
        ("extend", {"until": ""}, "This field is required."),
        ("extend", {"until": entered(SOON)}, "already."),
        ("end", {"reason": ""}, "Say why."),
        ("override", {"requests_per_day": ""}, "Fill in at least one limit."),
        ("override", {"requests_per_day": "-1"}, "greater than or equal to 0"),
        ("override", {"requests_per_day": "9" * 30}, "less than or equal to"),
        ("override", {"requests_per_day": "many"}, "Enter a whole number."),
        ("override", {"reason": ""}, "Say why."),
        ("override", {"ends_at": "2020-01-01T00:00"}, "It must end after it begins."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_done(
    act: str, wrong: dict[str, str], sentence: str, subscription: Subscription, operator: Client
) -> None:
    having(subscription, current_period_end=SOON)
    form = sent(act) | wrong
    before = snapshot()

    answer = operator.post(page_of(subscription, act), form)

    assert answer.status_code == 422
    assert sentence in said(answer)
    assert snapshot() == before


def test_what_was_entered_stays_when_something_is_wrong(
    subscription: Subscription, operator: Client
) -> None:
    form = {"requests_per_day": "5000", "ends_at": "2020-01-01T00:00", "reason": "A launch."}

    page = operator.post(page_of(subscription, "override"), form).content.decode()

    assert all(f'value="{value}"' in page for value in form.values())


@pytest.mark.parametrize("act", ["grant", "extend", "end"])
def test_what_stripe_runs_is_refused_with_the_sentence_why(
    act: str, subscription: Subscription, operator: Client
) -> None:
    price = make_price(subscription.plan)
    having(subscription, current_period_end=SOON, stripe_id="sub_1", price=price)
    form = sent(act)
    before = snapshot()

    seen = operator.get(page_of(subscription, act))
    answer = operator.post(page_of(subscription, act), form)

    assert "Stripe runs this subscription (sub_1)" in said(seen)
    assert "Cancel it at Stripe first" in said(answer)
    assert answer.status_code == 422
    assert snapshot() == before


def test_an_override_is_possible_where_stripe_runs_it(
    subscription: Subscription, operator: Client
) -> None:
    having(subscription, stripe_id="sub_1", price=make_price(subscription.plan))

    operator.post(page_of(subscription, "override"), sent("override"))

    assert now(subscription).limit_overrides == {"requests_per_day": 5000}


def test_the_bulk_acts_leave_what_stripe_runs(operator: Client) -> None:
    ours, theirs = make_account().subscription, make_account().subscription
    having(theirs, stripe_id="sub_1", price=make_price(theirs.plan))

    for action in ("renew", "expire"):
        chosen = {"action": action, "_selected_action": [ours.pk, theirs.pk]}
        answer = operator.post("/ops/billing/subscription/", chosen, follow=True)
        assert "Stripe runs this subscription (sub_1)" in said(answer)

    assert (now(ours).status, now(theirs).status) == ("canceled", "active")
    assert now(theirs).current_period_end is None


def test_a_bulk_renewal_of_what_has_ended_begins_now(operator: Client) -> None:
    ended, waiting = make_account().subscription, make_account().subscription
    old = clock.now() - timedelta(days=100)
    having(ended, status="canceled", stripe_id="sub_1", started_at=old, current_period_end=old)
    having(waiting, status="incomplete")
    chosen = {"action": "renew", "_selected_action": [ended.pk, waiting.pk]}

    answer = operator.post("/ops/billing/subscription/", chosen, follow=True)

    renewed = now(ended)
    assert (renewed.status, renewed.stripe_id) == ("active", None)
    assert renewed.current_period_end is not None
    assert renewed.current_period_end > clock.now() + timedelta(days=27)
    assert now(waiting).status == "incomplete"
    assert "Grant it instead" in said(answer)
    assert "Renewed 1." in said(answer)


@pytest.mark.parametrize("act", PERMISSION)
def test_nobody_else_can(act: str, subscription: Subscription) -> None:
    having(subscription, current_period_end=SOON)
    owner, stranger = subscription.account.members.get(), make_account().members.get()
    others = set(PERMISSION.values()) | {"view_subscription", "change_override"}
    form = sent(act)
    before = snapshot()

    refused = {
        name: [getattr(browser, method)(page_of(subscription, act), form) for method in METHODS]
        for name, browser in {
            "nobody": Client(),
            "the owner": browser_of(owner),
            "a stranger": browser_of(stranger),
            "an idle operator": staff(*(others - {PERMISSION[act]})),
        }.items()
    }

    assert {name: [one.status_code for one in both] for name, both in refused.items()} == {
        "nobody": [302, 302],
        "the owner": [403, 403],
        "a stranger": [403, 403],
        "an idle operator": [403, 403],
    }
    assert snapshot() == before
    assert staff(PERMISSION[act]).post(page_of(subscription, act), form).status_code == 302
    assert snapshot() != before


METHODS = ("get", "post")


def test_nobody_else_ends_an_override(subscription: Subscription, operator: Client) -> None:
    operator.post(page_of(subscription, "override"), sent("override"))
    end = f"/ops/billing/override/{Override.objects.get().pk}/end/"
    owner = browser_of(subscription.account.members.get())

    statuses = [browser.post(end).status_code for browser in (owner, staff("change_subscription"))]

    assert statuses == [403, 403]
    assert now(subscription).limit_overrides == {"requests_per_day": 5000}


@pytest.mark.parametrize("act", PERMISSION)
def test_no_other_site_can_have_it_done(act: str, subscription: Subscription) -> None:
    browser = as_operator(Client(enforce_csrf_checks=True))
    form = sent(act)
    before = snapshot()

    answers = [
        browser.post(page_of(subscription, act), form),
        browser.put(page_of(subscription, act), form),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert snapshot() == before


def test_the_page_of_a_subscription_leads_to_what_one_may_do(
    subscription: Subscription, operator: Client
) -> None:
    address = f"/ops/billing/subscription/{subscription.pk}/change/"

    everything = operator.get(address).content.decode()
    a_part = staff("view_subscription", "add_override").get(address).content.decode()

    for act in PERMISSION:
        assert f'href="../{act}/">' in everything
        assert (f'href="../{act}/">' in a_part) is (act == "override")
    assert 'name="_save"' not in everything


def test_the_form_for_an_override_asks_for_every_limit(
    subscription: Subscription, operator: Client
) -> None:
    page = operator.get(page_of(subscription, "override"))

    for name in NAMES:
        assert f'name="{name}"' in page.content.decode()
    assert "The plan: 100." in said(page)
    assert "The plan: no limit." in said(page)


@pytest.mark.parametrize("act", PERMISSION)
def test_what_is_not_there_is_not_found(act: str, operator: Client) -> None:
    assert operator.get(f"/ops/billing/subscription/999999/{act}/").status_code == 404
    assert operator.get("/ops/billing/override/999999/end/").status_code == 404
