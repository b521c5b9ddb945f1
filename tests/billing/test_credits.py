"""What an operator credits comes off what is to be paid next: once, and to the cent."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.audit import Action
from accounts.models import Account, Notice
from billing import balances, plan_changes, price_sync, reconciliation
from billing.models import Credit, Customer, Drift, Plan
from billing.stripe_access import StripeAccess
from billing.upcoming import upcoming
from tests.billing.crediting import OPERATOR, SAID, give, granted, ledger, settled, take_back
from tests.billing.in_process import InProcessServer
from tests.billing.paying import BY, Paying, make_plans
from tests.billing.stripe_server import GOOD, REFUSED
from tests.dashboard.conftest import browser_of, text_of
from tests.people import make_account, make_colleague


@pytest.fixture
def paying(db: None, settings: Any) -> Paying:
    """An account on a trial, and a Stripe in this very process."""
    server = InProcessServer()
    settings.STRIPE = server.access
    make_plans()
    price_sync.sync()
    return Paying(server, make_account(plan=Plan.objects.get(slug="free-trial")))


def page(account: Account, role: str = "owner") -> str:
    user = account.members.get(memberships__role=role)
    return text_of(browser_of(user).get("/billing"))


def test_a_credit_is_given_once_told_once_and_on_record(paying: Paying) -> None:
    credit = granted(paying)
    before = (credit.state, Notice.objects.count())

    credit = settled(settled(credit))

    [entry] = paying.account.audit_entries.filter(action=Action.CREDIT_GIVEN)
    assert before == ("on its way to Stripe", 0)
    assert (credit.state, credit.customer) == ("given", paying.customer)
    assert ledger(paying) == [("adjustment", -1000)]
    assert (entry.about, entry.actor) == ("$10.00", OPERATOR.name)
    assert entry.details["reason"] == "Ticket 4711"
    [letter] = Notice.objects.filter(account=paying.account)
    assert (letter.about_money, letter.subject) == (True, f"Credit of $10.00 for {paying.account}")
    assert "For the outage on Tuesday." in letter.text
    assert "Ticket 4711" not in letter.text


def test_the_same_form_sent_twice_gives_one_credit(paying: Paying) -> None:
    token = uuid.uuid4()

    credits_ = {granted(paying, token=token).pk for _ in range(2)}

    assert len(credits_) == 1
    assert paying.account.audit_entries.filter(action=Action.CREDIT_GIVEN).count() == 1


def test_it_comes_off_the_next_invoices_until_it_is_used_up(paying: Paying) -> None:
    paying.subscribe("monthly")
    give(paying, amount=4000)
    foreseen = upcoming(paying.subscription)

    paying.advance(days=32)
    first, left = paying.invoices()[0], paying.customer.credit_in_words
    paying.advance(days=31)

    assert foreseen is not None
    assert (foreseen.amount, foreseen.from_credit) == (0, 2900)
    assert (first.status, first.total, first.amount_paid) == ("paid", 2900, 0)
    assert left == "$11.00"
    assert (paying.invoices()[0].total, paying.invoices()[0].amount_paid) == (2900, 1800)
    assert paying.customer.credit == 0
    assert paying.told("subscription.renewed") == 2
    assert sum(one.amount for one in charges(paying)) == 2900 + 0 + 1800


def charges(paying: Paying) -> list[Any]:
    found = paying.api.charges.list({"customer": paying.customer.stripe_id, "limit": 100}).data
    return [one for one in found if one.paid]


@pytest.mark.parametrize(("amount", "charged"), [(1000, 1900), (2900, 0), (5000, 0)])
def test_who_has_not_paid_yet_pays_less_for_the_first_plan(
    paying: Paying, amount: int, charged: int
) -> None:
    give(paying, amount=amount)

    paying.subscribe("monthly")

    assert paying.state == ("monthly", "active")
    assert sum(one.amount for one in charges(paying)) == charged
    assert paying.invoices()[0].total == 2900
    assert paying.customer.credit == max(0, amount - 2900)
    assert not Notice.objects.filter(account=None).exists()


def test_an_upgrade_costs_what_its_preview_says_after_the_credit(paying: Paying) -> None:
    paying.subscribe("monthly")
    yearly = Plan.objects.get(slug="12-months")
    stale = plan_changes.preview(paying.account, yearly)
    give(paying, amount=5000)
    with pytest.raises(plan_changes.Stale):
        plan_changes.upgrade(paying.account, yearly, shown=(stale.due, stale.proration_date), by=BY)

    shown = plan_changes.preview(paying.account, yearly)
    plan_changes.upgrade(paying.account, yearly, shown=(shown.due, shown.proration_date), by=BY)

    assert (stale.due - shown.due, shown.from_balance) == (5000, 5000)
    assert paying.invoices()[0].amount_paid == shown.due
    assert paying.customer.credit == 0


def test_a_card_that_is_refused_leaves_the_credit_as_it_was(paying: Paying) -> None:
    give(paying)

    paying.pay(paying.begin("monthly"), REFUSED)
    paying.hear()

    assert paying.state == ("free-trial", "trialing")
    assert paying.customer.credit == 1000


def test_of_a_void_invoice_the_credit_comes_back(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.card("card_declined")
    give(paying)
    paying.advance(days=32)
    used = paying.customer.credit

    paying.api.invoices.void_invoice(paying.invoices()[0].stripe_id)
    paying.hear()

    assert (used, paying.customer.credit) == (0, 1000)
    assert ledger(paying)[-2:] == [("applied_to_invoice", 1000), ("unapplied_from_invoice", -1000)]


def test_what_is_not_used_can_be_taken_back_and_only_once(paying: Paying) -> None:
    credit = give(paying)

    credit = take_back(credit)
    with pytest.raises(ValidationError) as again:
        credit.take_back(by=OPERATOR)

    assert credit.state == "taken back"
    assert "before" in again.value.messages[0]
    assert ledger(paying) == [("adjustment", -1000), ("adjustment", 1000)]
    assert paying.customer.credit == 0
    assert paying.account.audit_entries.filter(action=Action.CREDIT_TAKEN_BACK).count() == 1
    assert any("was taken back" in subject for subject in paying.letters())


def test_what_is_used_cannot_be_taken_back(paying: Paying) -> None:
    paying.subscribe("monthly")
    credit = give(paying, amount=4000)
    paying.advance(days=32)

    with pytest.raises(ValidationError) as refused:
        Credit.objects.get(pk=credit.pk).take_back(by=OPERATOR)

    assert "$11.00" in refused.value.messages[0]
    assert Credit.objects.get(pk=credit.pk).state == "given"


def test_what_was_used_while_a_worker_was_on_its_way_stays_with_them(paying: Paying) -> None:
    paying.subscribe("monthly")
    credit = give(paying)
    credit.take_back(by=OPERATOR)
    paying.server.advance(days=32)

    credit = settled(credit)

    assert (credit.state, credit.revoked_at) == ("given", None)
    assert "Only $0.00 is left" in credit.failed_because
    assert [type_ for type_, _ in ledger(paying)] == ["adjustment", "applied_to_invoice"]
    assert Notice.objects.get(account=None).subject.startswith("Not taken back: $10.00")


def test_while_stripe_is_away_it_waits_and_is_given_later(paying: Paying, settings: Any) -> None:
    credit, reachable = granted(paying), settings.STRIPE
    settings.STRIPE = StripeAccess("simulated", "sk_test_x", "whsec", "http://127.0.0.1:9")
    done = balances.settle(credit.pk)
    settings.STRIPE = reachable

    early = balances.sweep()
    due(credit)
    late = balances.sweep()

    assert (done, early, late) == (False, 0, 1)
    assert settled(credit).state == "given"
    assert ledger(paying) == [("adjustment", -1000)]


def due(credit: Credit) -> None:
    """The worker that had it is dead for long enough."""
    Credit.objects.filter(pk=credit.pk, next_attempt_at__isnull=False).update(
        next_attempt_at=timezone.now() - timedelta(seconds=1)
    )


def test_what_stripe_has_done_already_is_found_and_not_done_again(paying: Paying) -> None:
    """Even when Stripe has forgotten the key under which it was asked."""
    credit = give(paying)
    Credit.objects.filter(pk=credit.pk).update(
        given_at=None, stripe_id=None, customer=None, next_attempt_at=timezone.now()
    )
    with paying.server.bench.sim.store.transaction():  # type: ignore[union-attr]
        paying.server.bench.sim.store.sql.execute("DELETE FROM answers")  # type: ignore[union-attr]

    again = settled(credit)

    assert (again.state, again.stripe_id) == ("given", credit.stripe_id)
    assert ledger(paying) == [("adjustment", -1000)]
    assert len(paying.letters()) == 1


def test_a_refusal_of_stripe_is_shown_told_and_can_be_tried_again(paying: Paying) -> None:
    paying.begin("monthly")
    customer = paying.customer.stripe_id
    Customer.objects.filter(account=paying.account).update(stripe_id="cus_of_nobody")

    credit = settled(granted(paying))
    state, because = credit.state, credit.failed_because
    told = Notice.objects.get(account=None)
    Customer.objects.filter(account=paying.account).update(stripe_id=customer)
    tried = [credit.try_again(), settled(credit).try_again()]

    assert (state, credit.failed_because) == ("refused by Stripe", because)
    assert "cus_of_nobody" in because
    assert because in told.text
    assert tried == [True, False]
    assert settled(credit).state == "given"
    assert paying.letters() == [f"Credit of $10.00 for {paying.account}"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 100_000_000}, "amount"),
        ({"words": " "}, "words"),
        ({"reason": ""}, "reason"),
        ({"currency": "eur"}, "currency"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    paying: Paying, said: dict[str, Any], field: str
) -> None:
    paying.subscribe("monthly")

    with pytest.raises(ValidationError) as refused:
        granted(paying, **said)

    assert list(refused.value.message_dict) == [field]
    assert not Credit.objects.exists()


def test_without_stripe_nothing_is_given(db: None, settings: Any) -> None:
    settings.STRIPE = StripeAccess()
    account = make_account()

    with pytest.raises(ValidationError) as refused:
        Credit.objects.give(account, by=OPERATOR, **SAID)

    assert "extend the plan instead" in refused.value.messages[0]
    assert balances.sweep() == 0


def test_an_account_that_leaves_is_given_nothing(paying: Paying) -> None:
    paying.account.deletion_due_at = timezone.now()

    with pytest.raises(ValidationError):
        granted(paying)


def test_a_credit_is_shown_to_who_pays_with_its_words_and_to_nobody_else(paying: Paying) -> None:
    stranger = make_account()
    viewer = make_colleague(paying.account, "viewer")
    before = page(paying.account)
    give(paying)
    give(paying, amount=500, words="A welcome.")
    make_colleague(paying.account, "billing")

    seen = {role: page(paying.account, role) for role in ("owner", "billing")}

    assert "Credit of" not in before
    for text in seen.values():
        assert "Credit of $15.00, taken off your next invoice" in text
        assert "For the outage on Tuesday." in text
        assert "A welcome." in text
        assert "Ticket 4711" not in text
    assert "Credit of" not in page(stranger)
    assert "Credit of" not in text_of(browser_of(viewer).get("/billing"))


def test_the_page_says_what_is_left_of_which_credit(paying: Paying) -> None:
    paying.subscribe("monthly")
    give(paying, amount=3000)
    give(paying, amount=1500, words="A welcome.")
    paying.advance(days=32)

    text = page(paying.account)

    left = [(one.in_words, one.is_whole) for one in Credit.objects.left(paying.customer)]
    assert left == [("$15.00", True), ("$1.00", False)]
    assert "Credit of $16.00" in text
    assert "$1.00 left of $30.00" in text
    assert "and $16.00 of your credit" in text


def test_a_night_s_look_finds_credits_that_stripe_has_not_or_has_otherwise(
    paying: Paying,
) -> None:
    paying.subscribe("monthly")
    taken, lost, other = take_back(give(paying)), give(paying), give(paying, amount=700)
    agreed = reconciliation.reconcile()
    Credit.objects.filter(pk=lost.pk).update(stripe_id="cbtxn_of_nobody")
    Credit.objects.filter(pk=other.pk).update(amount=900)

    found = reconciliation.reconcile() + reconciliation.reconcile()

    assert (agreed, taken.state) == ([], "taken back")
    assert {(drift.what, drift.ours, drift.theirs) for drift in found} == {
        ("is no credit at Stripe", "−$10.00", ""),
        ("is another credit at Stripe", "−$9.00", "−$7.00"),
    }
    assert Drift.objects.filter(account=paying.account, mended_at=None).count() == 2


def test_credits_of_another_stripe_are_left_alone(paying: Paying, settings: Any) -> None:
    credit = granted(paying)
    Credit.objects.update(mode="live")

    assert balances.sweep() == 0
    assert settled(credit).state == "on its way to Stripe"
    assert paying.pay(paying.begin("monthly"), GOOD) == 303
