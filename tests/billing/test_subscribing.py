"""A visitor becomes a paying customer, changes plan, fails a payment, recovers, leaves, returns."""

from datetime import timedelta

import pytest

from billing import endings, plan_changes
from billing.checkout import NotPossible
from billing.models import Checkout, Plan, Subscription
from tests.billing.paying import BY, Paying, simulated_day
from tests.people import make_account


def plan(slug: str) -> Plan:
    return Plan.objects.get(slug=slug)


def test_who_has_paid_is_on_the_plan_and_a_stranger_is_not(paying: Paying) -> None:
    stranger = make_account(plan=plan("free-trial"))

    paying.subscribe("monthly")

    subscription = paying.subscription
    assert paying.state == ("monthly", "active")
    assert subscription.current_period_end == simulated_day(paying.server, 31)
    assert subscription.price == paying.price("monthly")
    assert [invoice.in_words for invoice in paying.invoices()] == ["$29.00"]
    assert Subscription.objects.get(account=stranger).status == "trialing"


def test_whoever_leaves_the_page_without_paying_has_nothing(paying: Paying) -> None:
    paying.begin("monthly")

    paying.advance(days=2)

    assert paying.state == ("free-trial", "trialing")
    assert [one.state for one in Checkout.objects.all()] == ["closed"]


def test_a_second_page_for_the_same_plan_is_the_same_page(paying: Paying) -> None:
    assert paying.begin("monthly") == paying.begin("monthly")
    assert Checkout.objects.count() == 1


def test_a_page_for_another_plan_closes_the_first_so_that_nobody_pays_twice(
    paying: Paying,
) -> None:
    first = paying.begin("monthly")
    second = paying.begin("12-months")

    late, paid = paying.pay(first), paying.pay(second)
    paying.hear()

    assert (late != 303, paid) == (True, 303)
    assert paying.state == ("12-months", "active")
    assert len(paying.api.subscriptions.list({"customer": paying.customer.stripe_id}).data) == 1


def test_who_pays_already_changes_the_plan_instead_of_buying_another(paying: Paying) -> None:
    paying.subscribe("monthly")

    with pytest.raises(NotPossible, match="pays for a plan already"):
        paying.begin("12-months")


def test_an_upgrade_charges_what_its_preview_said_and_holds_at_once(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.advance(days=10)
    epoch = paying.subscription.account.epoch

    shown = plan_changes.preview(paying.account, plan("12-months"))
    plan_changes.upgrade(
        paying.account, plan("12-months"), shown=(shown.due, shown.proration_date), by=BY
    )

    newest = paying.invoices()[0]
    assert paying.state == ("12-months", "active")
    assert (newest.amount_paid, newest.status) == (shown.due, "paid")
    assert 29000 - 2900 < shown.due < 29000
    assert sum(amount for _, amount in shown.lines) == shown.due
    assert paying.subscription.current_period_end == shown.period_end
    assert paying.subscription.account.epoch > epoch


def test_an_upgrade_is_not_charged_when_the_amount_is_no_longer_what_was_shown(
    paying: Paying,
) -> None:
    paying.subscribe("monthly")
    shown = plan_changes.preview(paying.account, plan("12-months"))

    with pytest.raises(plan_changes.Stale):
        plan_changes.upgrade(
            paying.account, plan("12-months"), shown=(shown.due - 1, shown.proration_date), by=BY
        )

    assert paying.state == ("monthly", "active")
    assert len(paying.invoices()) == 1


def test_a_card_that_does_not_pay_changes_nothing(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.card("card_declined")
    shown = plan_changes.preview(paying.account, plan("12-months"))

    with pytest.raises(plan_changes.Declined, match="did not pay"):
        plan_changes.upgrade(
            paying.account, plan("12-months"), shown=(shown.due, shown.proration_date), by=BY
        )
    paying.hear()

    assert paying.state == ("monthly", "active")


def test_a_downgrade_waits_for_the_end_of_the_period(paying: Paying) -> None:
    paying.subscribe("12-months")

    plan_changes.downgrade(paying.account, plan("monthly"), by=BY)
    before = paying.state, paying.subscription.next_plan
    paying.advance(days=370)

    assert before == (("12-months", "active"), plan("monthly"))
    assert paying.state == ("monthly", "active")
    assert paying.subscription.next_plan is None
    assert paying.invoices()[0].in_words == "$29.00"


def test_who_thinks_better_of_a_downgrade_keeps_the_plan(paying: Paying) -> None:
    paying.subscribe("12-months")
    plan_changes.downgrade(paying.account, plan("monthly"), by=BY)

    plan_changes.keep(paying.account, by=BY)
    paying.advance(days=370)

    assert paying.state == ("12-months", "active")


def test_a_payment_that_fails_leaves_a_grace_and_then_nothing(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.card("card_declined")
    paying.advance(days=32)
    in_grace = paying.state, paying.subscription.grace_ends_at

    paying.server.advance(days=5)
    served = endings.end_what_is_over(), paying.subscription.is_served
    paying.server.advance(days=2)
    endings.end_what_is_over()
    endings.end_what_is_over()

    assert in_grace[0] == ("monthly", "past_due")
    assert in_grace[1] == paying.subscription.current_period_start + timedelta(days=7)
    assert served[1]
    assert (paying.state, paying.subscription.ended_because) == (("monthly", "canceled"), "unpaid")
    assert paying.told("subscription.expired") == 1
    assert sum("did not go through" in letter for letter in paying.letters()) == 1
    assert sum("has ended" in letter for letter in paying.letters()) == 1


@pytest.mark.parametrize("days", [2, 8])
def test_who_pays_after_all_goes_on_also_after_the_grace(paying: Paying, days: int) -> None:
    paying.subscribe("monthly")
    paying.card("card_declined")
    paying.advance(days=32)
    paying.server.advance(days=days)
    endings.end_what_is_over()
    was_served = paying.subscription.is_served
    paying.hear()

    paying.card("accepted")
    paying.api.invoices.pay(paying.theirs.latest_invoice)
    paying.hear()

    assert was_served == (days == 2)
    assert paying.state == ("monthly", "active")
    assert paying.subscription.past_due_at is None
    assert paying.told("subscription.renewed") == 1
    assert sum("Paid" in letter for letter in paying.letters()) == 1


def test_who_cancels_is_served_until_the_period_ends_and_may_come_back(paying: Paying) -> None:
    paying.subscribe("monthly")
    plan_changes.cancel(paying.account, by=BY)
    canceling = paying.state, paying.subscription.cancel_at_period_end

    paying.advance(days=32)
    ended = paying.state, paying.subscription.ended_because
    paying.subscribe("3-months")

    assert canceling == (("monthly", "active"), True)
    assert ended == (("monthly", "canceled"), "canceled")
    assert paying.state == ("3-months", "active")
    assert paying.told("subscription.expired") == 1
    assert paying.told("subscription.renewed") == 1


def test_a_cancellation_can_be_taken_back(paying: Paying) -> None:
    paying.subscribe("monthly")
    plan_changes.cancel(paying.account, by=BY)

    plan_changes.resume(paying.account, by=BY)
    paying.advance(days=32)

    assert paying.state == ("monthly", "active")
    assert paying.subscription.current_period_end == simulated_day(paying.server, 28)
    assert paying.told("subscription.renewed") == 1


def test_a_renewal_is_told_once_for_each_period_that_was_paid(paying: Paying) -> None:
    paying.subscribe("monthly")

    paying.server.advance(days=100)
    paying.hear()

    assert paying.told("subscription.renewed") == 3
    assert len([one for one in paying.invoices() if one.reason == "subscription_cycle"]) == 3


def test_a_refund_is_seen_on_the_invoice(paying: Paying) -> None:
    paying.subscribe("monthly")
    [charge] = paying.api.charges.list({"customer": paying.customer.stripe_id}).data

    paying.api.refunds.create({"charge": charge.id, "amount": 900})
    paying.hear()

    [invoice] = paying.invoices()
    assert (invoice.word, invoice.refunded_in_words) == ("partly refunded", "$9.00")
    assert paying.state == ("monthly", "active")


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_that_is_lost_ends_the_plan(paying: Paying, won: bool) -> None:
    paying.subscribe("12-months")
    [charge] = paying.api.charges.list({"customer": paying.customer.stripe_id}).data
    dispute = paying.server.control("dispute", charge=charge.id)
    paying.hear()
    disputed = paying.invoices()[0].word, paying.state

    paying.server.control("dispute/close", dispute=dispute["id"], won=won)
    paying.hear()

    assert disputed == ("disputed", ("12-months", "active"))
    assert paying.state == ("12-months", "active" if won else "canceled")
    assert paying.subscription.ended_because == ("" if won else "disputed")
