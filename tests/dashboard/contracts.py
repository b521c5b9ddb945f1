"""Every way in which the contract of an account can stand, and how it comes to that."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from accounts.models import Account, User
from billing import endings, plan_changes
from billing.agreements import Ended
from billing.models import Plan, Subscription, Trial
from tests.billing.paying import BY, Paying
from tests.dashboard.conftest import browser_of, text_of


def owner_of(account: Account) -> User:
    found: User = account.members.get(memberships__role="owner")
    return found


def page(account: Account, query: str = "", *, by: User | None = None) -> str:
    answer = browser_of(by or owner_of(account)).get(f"/billing{query}")
    assert answer.status_code == 200
    return text_of(answer)


def as_it_is(paying: Paying) -> None:
    """A trial has begun."""


def ended(because: Ended) -> Callable[[Paying], None]:
    def end(paying: Paying) -> None:
        paying.subscription.expire(because)

    return end


def refuse(paying: Paying) -> None:
    plan = paying.subscription.plan
    Subscription.objects.withhold(paying.account, plan, because=Ended.NO_TRIAL)


def review(paying: Paying) -> None:
    Subscription.objects.withhold(paying.account, paying.subscription.plan)
    Trial.objects.create(account=paying.account, person="1", email="a@b.example", state="in_review")


def ends_soon(paying: Paying) -> None:
    end = datetime.fromtimestamp(paying.server.now, UTC) + timedelta(days=2)
    Subscription.objects.filter(account=paying.account).update(current_period_end=end)


def downgrade(paying: Paying) -> None:
    paying.subscribe("3-months")
    plan_changes.downgrade(paying.account, Plan.objects.get(slug="monthly"), by=BY)


def cancel(paying: Paying) -> None:
    paying.subscribe()
    plan_changes.cancel(paying.account, by=BY)


def fail(paying: Paying) -> None:
    paying.subscribe()
    paying.card("card_declined")
    paying.advance(days=32)


def never_pay(paying: Paying) -> None:
    fail(paying)
    paying.advance(days=8)
    endings.end_what_is_over()


def by_hand(paying: Paying) -> None:
    end = datetime(2028, 3, 1, tzinfo=UTC)
    Subscription.objects.start(paying.account, Plan.objects.get(slug="monthly"), until=end)


def agreed(paying: Paying) -> None:
    plan = Plan.objects.create(slug="enterprise", name="Enterprise", interval_months=12)
    Subscription.objects.start(paying.account, plan)


def free_for_good(paying: Paying) -> None:
    Subscription.objects.start(paying.account, Plan.objects.create(slug="free", name="Free"))


STATES: dict[str, tuple[Callable[[Paying], None], list[str]]] = {
    "a trial": (
        as_it_is,
        ["Plan trial Free Trial", "14 of 14 days", "Next charge None", "Choose a plan"],
    ),
    "a trial that ends soon": (
        ends_soon,
        ["Your trial ends soon, on 3 January 2028, 00:00 UTC", "2 of 2 days"],
    ),
    "a trial in review": (
        review,
        ["Plan in review Free Trial", "looked at by a person", "Time left Not begun"],
    ),
    "no second trial": (
        refuse,
        ["Plan no trial Free Trial", "there is one for each person", "Choose Monthly"],
    ),
    "a trial that is over": (
        ended(Ended.TRIAL),
        ["Plan ended Free Trial", "because the trial is over", "Every request is refused."],
    ),
    "a payment taken back": (ended(Ended.DISPUTED), ["because its payment was taken back"]),
    "paid": (
        Paying.subscribe,
        ["Plan active Monthly $29.00 a month", "$29.00 on 1 February 2028", "Upgrade… to 3-Months"],
    ),
    "a smaller plan follows": (
        downgrade,
        ["Monthly follows on 1 April 2028", "$29.00 on 1 April 2028", "Keep 3-Months"],
    ),
    "cancelled": (
        cancel,
        ["Plan cancelled Monthly", "works until 1 February 2028", "Next charge None", "Resume"],
    ),
    "past due": (
        fail,
        ["Plan past due Monthly", "To be paid unpaid $29.00", "of 7 days", "Pay $29.00"],
    ),
    "never paid": (
        never_pay,
        ["Plan ended Monthly", "because it was not paid", "The open invoice comes first"],
    ),
    "given by hand": (
        by_hand,
        ["by whoever runs this server, until 1 March 2028", "60 of 60 days", "Pay for Monthly"],
    ),
    "agreed": (agreed, ["Plan active Enterprise", "As agreed with whoever", "No end"]),
    "free for good": (free_for_good, ["Plan active Free", "Free for good", "No end"]),
}
