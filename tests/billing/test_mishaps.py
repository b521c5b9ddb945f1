"""What goes wrong between us and Stripe, or is done there behind our back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing import checkout, endings, hearing, leaving, plan_changes
from billing.checkout import NotPossible
from billing.models import Checkout, Customer, Plan, StripeEvent, Subscription
from dashboard.account_deletion import delete_due_accounts
from tests.billing.paying import BACK, BY, Paying
from tests.billing.stripe_server import LATER_BAD


def running(paying: Paying, customer: str) -> list[Any]:
    found = paying.api.subscriptions.list({"customer": customer, "status": "all"}).data
    return [one for one in found if one.status not in ("canceled", "incomplete_expired")]


def test_an_account_that_is_deleted_is_charged_no_more(paying: Paying) -> None:
    paying.subscribe("monthly")
    customer, account = paying.customer.stripe_id, paying.account
    account.schedule_deletion(by=BY)
    type(account).objects.filter(pk=account.pk).update(deletion_due_at=timezone.now())
    delete_due_accounts()
    type(account).objects.filter(pk=account.pk).update(
        closed_at=timezone.now() - timedelta(hours=2)
    )

    delete_due_accounts()

    assert running(paying, customer) == []
    assert not type(account).objects.filter(pk=account.pk).exists()
    assert not StripeEvent.objects.filter(customer=customer).exists()


def test_a_page_to_pay_on_closes_with_its_account(paying: Paying) -> None:
    url = paying.begin("monthly")

    leaving.stop_paying(paying.account)

    assert paying.pay(url) != 303


def test_who_is_about_to_be_deleted_or_suspended_can_buy_nothing(paying: Paying) -> None:
    paying.account.schedule_deletion(by=BY)
    with pytest.raises(NotPossible, match="about to be deleted"):
        paying.begin("monthly")
    paying.account.call_off_deletion(by=BY)
    paying.account.suspend(by=BY)
    with pytest.raises(NotPossible, match="suspended"):
        paying.begin("monthly")


def test_of_two_tabs_that_buy_different_plans_one_is_told_to_wait(paying: Paying) -> None:
    """The first has made its row and waits for Stripe's answer when the second one comes."""
    paying.begin("monthly")
    first = Checkout.objects.get()
    session = str(first.stripe_id)
    Checkout.objects.filter(pk=first.pk).update(stripe_id=None)

    second = paying.begin("12-months")

    assert not first.show(session)
    assert Checkout.objects.get(pk=first.pk).state == "closed"
    assert paying.pay(second) == 303


def test_a_cancellation_in_the_portal_is_seen_and_can_be_taken_back_here(paying: Paying) -> None:
    paying.subscribe("monthly")
    url = checkout.portal(paying.account, back=BACK)
    paying.server.visit(url, action="cancel", subscription=str(paying.subscription.stripe_id))
    paying.hear()
    cancelled = paying.subscription.cancel_at_period_end

    plan_changes.resume(paying.account, by=BY)
    paying.advance(days=32)

    assert cancelled
    assert paying.state == ("monthly", "active")


def test_an_upgrade_takes_a_cancellation_in_the_portal_back(paying: Paying) -> None:
    paying.subscribe("monthly")
    url = checkout.portal(paying.account, back=BACK)
    paying.server.visit(url, action="cancel", subscription=str(paying.subscription.stripe_id))
    paying.hear()
    yearly = Plan.objects.get(slug="12-months")

    shown = plan_changes.preview(paying.account, yearly)
    plan_changes.upgrade(paying.account, yearly, shown=(shown.due, shown.proration_date), by=BY)
    paying.advance(days=40)

    assert paying.state == ("12-months", "active")
    assert not paying.subscription.cancel_at_period_end


def test_the_card_that_is_changed_is_the_card_that_is_charged(paying: Paying) -> None:
    paying.subscribe("monthly")
    url = checkout.portal(paying.account, back=BACK, flow="payment_method_update")
    paying.server.visit(url, action="card", number=LATER_BAD)

    paying.advance(days=32)

    assert paying.state == ("monthly", "past_due")


def test_a_declined_upgrade_leaves_the_smaller_plan_that_was_to_follow(paying: Paying) -> None:
    paying.subscribe("3-months")
    plan_changes.downgrade(paying.account, Plan.objects.get(slug="monthly"), by=BY)
    paying.card("card_declined")
    yearly = Plan.objects.get(slug="12-months")
    shown = plan_changes.preview(paying.account, yearly)

    with pytest.raises(plan_changes.Declined):
        plan_changes.upgrade(paying.account, yearly, shown=(shown.due, shown.proration_date), by=BY)
    paying.hear()

    assert paying.state == ("3-months", "active")
    assert paying.subscription.next_plan == Plan.objects.get(slug="monthly")


def test_who_falls_to_the_free_plan_unpaid_pays_the_invoice_not_a_second_plan(
    paying: Paying,
) -> None:
    free = Plan.objects.create(slug="free", name="Free", position=0)
    paying.subscribe("monthly")
    paying.card("card_declined")
    paying.advance(days=40)
    endings.end_what_is_over()
    fallen = paying.subscription.plan

    with pytest.raises(NotPossible, match="unpaid"):
        paying.begin("monthly")

    assert fallen == free


def test_what_was_paid_but_not_offered_is_cancelled_so_that_it_is_not_charged_again(
    paying: Paying,
) -> None:
    paying.pay(paying.begin("monthly"))
    Checkout.objects.update(price=paying.price("12-months"))

    paying.hear()

    assert Checkout.objects.get().state == "refused"
    assert running(paying, paying.customer.stripe_id) == []


def test_a_plan_at_a_price_that_is_not_ours_ends_here_when_it_ends_there(paying: Paying) -> None:
    paying.subscribe("monthly")
    product = paying.api.prices.retrieve(paying.price("monthly").stripe_id).product
    monthly = {"interval": "month", "interval_count": 1}
    cheap = paying.api.prices.create(
        {"product": str(product), "unit_amount": 1, "currency": "usd", "recurring": monthly}
    )
    item, key = paying.theirs["items"].data[0].id, paying.theirs.id
    paying.api.subscriptions.update(key, {"items": [{"id": item, "price": cheap.id}]})
    paying.api.subscriptions.cancel(key)

    paying.hear()

    assert paying.state == ("monthly", "canceled")


def test_a_customer_who_is_deleted_at_stripe_has_no_plan_and_may_buy_again(paying: Paying) -> None:
    paying.subscribe("monthly")
    gone = paying.customer.stripe_id

    paying.api.customers.delete(gone)
    paying.hear()
    ended = paying.state
    Customer.objects.filter(stripe_id=gone).update(version=0)
    url = paying.begin("3-months")

    assert ended == ("monthly", "canceled")
    assert paying.pay(url) == 303
    assert Customer.objects.ours().get(account=paying.account).stripe_id != gone


def test_a_trial_that_is_paid_for_at_the_last_moment_is_not_ended(paying: Paying) -> None:
    """The look for what is over has seen the trial; the payment comes before the ending."""
    trial = Subscription.objects.get(account=paying.account)
    paying.subscribe("monthly")

    ended = trial.expire(still=endings.as_it_was(trial))

    assert not ended
    assert paying.state == ("monthly", "active")


def test_an_invoice_that_is_paid_when_all_is_over_renews_nothing(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.card("card_declined")
    paying.advance(days=32)
    latest = str(paying.theirs.latest_invoice)
    paying.api.subscriptions.cancel(paying.theirs.id)
    paying.hear()
    paying.card("accepted")
    paying.server.advance(seconds=60)

    paying.api.invoices.pay(latest)
    paying.hear()

    assert paying.state == ("monthly", "canceled")
    assert paying.told("subscription.renewed") == 0
    assert not paying.subscription.owes


def test_one_customer_who_cannot_be_read_does_not_keep_the_others_waiting(
    paying: Paying, settings: Any
) -> None:
    paying.pay(paying.begin("monthly"))
    for one in paying.new():
        StripeEvent.objects.keep(one.document)
    odd = StripeEvent.objects.create(
        stripe_id="evt_odd",
        type="invoice.paid",
        customer="cus_0",
        mode=settings.STRIPE.mode,
        happened_at=timezone.now(),
    )
    another = Paying(paying.server).account
    unreadable = Customer.objects.create(account=another, mode="simulated", stripe_id="cus_0")
    price = paying.price("monthly")
    Checkout.objects.create(customer=unreadable, price=price, stripe_id="cs_nowhere")
    StripeEvent.objects.update(next_attempt_at=timezone.now())

    hearing.sweep()

    odd.refresh_from_db()
    assert (odd.processed_at, odd.failures) == (None, 1)
    assert paying.state == ("monthly", "active")


def test_an_offer_that_nobody_has_seen_is_closed_after_a_day(paying: Paying) -> None:
    paying.begin("monthly")
    Checkout.objects.update(stripe_id=None)
    paying.server.advance(days=2)

    endings.ask_about_late()

    assert Checkout.objects.get().state == "closed"


def test_nothing_is_sold_while_our_pages_and_stripe_name_different_prices(paying: Paying) -> None:
    Plan.objects.filter(slug="monthly").update(unit_amount=3900)

    with pytest.raises(NotPossible, match="cannot be bought"):
        paying.begin("monthly")
