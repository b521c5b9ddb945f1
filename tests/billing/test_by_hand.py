"""Operators grant, extend and end plans by hand: at once, for a reason, never behind Stripe."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.core.exceptions import ValidationError

from accounts import keys
from accounts.audit import Action, Actor, AuditEntry
from accounts.models import Account, Notice
from billing import clock, granting
from billing.models import Plan, Subscription
from gateway.caller import Caller, look_up
from tests.people import Issued, make_account, make_key, make_plan, make_price

pytestmark = pytest.mark.django_db
BY = Actor("operator somebody@example.com", 7, "192.0.2.7")
DAY = timedelta(days=1)


def on(account: Account) -> Subscription:
    return Subscription.objects.select_related("plan").get(account=account)


def having(account: Account, **fields: object) -> Subscription:
    Subscription.objects.filter(account=account).update(**fields)
    return on(account)


def epoch_of(account: Account) -> int:
    return Account.objects.get(pk=account.pk).epoch


def answer_to(key: Issued) -> str:
    """What the gateway finds when it looks a key up."""
    found = look_up(keys.digest(key.plaintext))
    assert isinstance(found, Caller)
    return found.barred.code or "" if found.barred else "served"


def acts() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(actor=BY.name).order_by("pk"))


def told(account: Account) -> list[tuple[str, str, str | None]]:
    events = account.events.filter(type__startswith="subscription.")
    documents = [msgspec.json.decode(event.payload) for event in events]
    data = [(document["type"], document["data"]) for document in documents]
    return [(kind, said["period_start"], said["period_end"]) for kind, said in data]


def written(moment: datetime | None) -> str:
    assert moment is not None
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_a_granted_plan_holds_at_once_until_its_moment() -> None:
    key, stranger, plan = make_key(), make_key(), make_plan("enterprise", tokens_per_day=7)
    having(key.account, status="canceled", ended_because="unpaid")
    epoch, until = epoch_of(key.account), clock.now() + 90 * DAY
    refused = answer_to(key)

    granting.grant(on(key.account), plan, until=until, reason="A partner.", by=BY)

    subscription = on(key.account)
    assert (refused, answer_to(key)) == ("subscription_expired", "served")
    assert (subscription.plan, subscription.status) == (plan, "active")
    assert (subscription.current_period_end, subscription.ended_because) == (until, "")
    assert epoch_of(key.account) > epoch
    assert on(stranger.account).plan != plan


def test_a_grant_is_one_act_on_record() -> None:
    account, plan = make_account(), make_plan("enterprise")
    until, before = clock.now() + 90 * DAY, AuditEntry.objects.count()

    granting.grant(on(account), plan, until=until, reason=" A partner. ", by=BY)

    [entry] = acts()
    assert AuditEntry.objects.count() == before + 1
    assert (entry.action, entry.account_id) == (Action.PLAN_GRANTED, account.pk)
    assert entry.about == "Enterprise"
    assert entry.details == {
        "before": "Monthly",
        "reason": "A partner.",
        "until": written(until),
    }


def test_a_grant_without_a_moment_is_for_good() -> None:
    account = make_account()

    granting.grant(on(account), make_plan("enterprise"), reason="A partner.", by=BY)

    assert on(account).current_period_end is None
    assert acts()[0].details["until"] == "for good"


def test_a_granted_trial_ends_as_its_plan_says() -> None:
    account, plan = make_account(), make_plan("trial")
    Plan.objects.filter(pk=plan.pk).update(trial=True, trial_days=14)
    plan.refresh_from_db()

    granting.grant(on(account), plan, reason="A second look.", by=BY)

    subscription = on(account)
    assert subscription.status == "trialing"
    assert subscription.current_period_end == subscription.started_at + 14 * DAY
    assert acts()[0].details["until"] == written(subscription.current_period_end)


def test_granting_twice_grants_once() -> None:
    account, plan = make_account(), make_plan("enterprise")
    granting.grant(on(account), plan, reason="A partner.", by=BY)
    began = on(account).started_at

    with pytest.raises(ValidationError, match="It has Enterprise for good already"):
        granting.grant(on(account), plan, reason="A partner.", by=BY)

    assert on(account).started_at == began
    assert len(acts()) == 1


def test_what_was_agreed_on_limits_outlasts_a_grant() -> None:
    account = make_account()
    having(account, limit_overrides={"tokens_per_day": 3})

    granting.grant(on(account), make_plan("enterprise"), reason="A partner.", by=BY)

    assert on(account).limit_overrides == {"tokens_per_day": 3}


def test_a_plan_that_is_extended_lasts_longer_and_is_told_of() -> None:
    account, stranger = make_account(), make_account()
    end = clock.now().replace(microsecond=0) + DAY
    began = having(account, current_period_end=end).current_period_start
    having(stranger, current_period_end=end)
    epoch = epoch_of(account)

    granting.extend(on(account), until=end + 30 * DAY, reason="An outage.", by=BY)

    subscription, [entry] = on(account), acts()
    assert (subscription.current_period_start, subscription.current_period_end) == (
        began,
        end + 30 * DAY,
    )
    assert epoch_of(account) == epoch + 1
    assert told(account) == [("subscription.renewed", written(end), written(end + 30 * DAY))]
    assert entry.action == Action.PLAN_RENEWED
    assert entry.details == {"reason": "An outage.", "until": written(end + 30 * DAY)}
    assert on(stranger).current_period_end == end


def test_an_ended_plan_that_is_extended_begins_again_and_is_no_longer_that_of_stripe() -> None:
    key = make_key()
    ended = {"status": "canceled", "ended_because": "unpaid", "stripe_id": "sub_1"}
    old = clock.now() - 40 * DAY
    having(key.account, **ended, started_at=old, current_period_end=old + 30 * DAY)

    granting.extend(on(key.account), until=clock.now() + DAY, reason="A mistake.", by=BY)

    subscription = on(key.account)
    assert answer_to(key) == "served"
    assert subscription.stripe_id is None
    assert subscription.started_at == subscription.current_period_start > old + 30 * DAY
    assert (subscription.status, subscription.ended_because) == ("active", "")


def test_a_trial_that_is_extended_is_still_one() -> None:
    account = make_account()
    Plan.objects.filter(pk=on(account).plan_id).update(trial=True)
    having(account, status="trialing", current_period_end=clock.now() + DAY)

    granting.extend(on(account), until=clock.now() + 2 * DAY, reason="They asked.", by=BY)

    assert on(account).status == "trialing"


def test_an_ended_plan_is_refused_at_once_and_told_of() -> None:
    key, stranger = make_key(), make_key()
    epoch = epoch_of(key.account)

    granting.end(on(key.account), reason="Fraud.", by=BY)

    [entry] = acts()
    assert (answer_to(key), answer_to(stranger)) == ("subscription_expired", "served")
    assert epoch_of(key.account) == epoch + 1
    assert [kind for kind, _, _ in told(key.account)] == ["subscription.expired"]
    assert Notice.objects.filter(account=key.account, about_money=True).count() == 1
    assert (entry.action, entry.details) == (Action.PLAN_EXPIRED, {"reason": "Fraud."})


def test_where_a_plan_is_free_for_good_it_follows() -> None:
    key, free = make_key(), make_plan("free")
    Plan.objects.filter(pk=free.pk).update(interval_months=0)
    subscription = on(key.account)

    granting.end(subscription, reason="They asked.", by=BY)

    assert (subscription.plan, subscription.is_served) == (free, True)
    assert answer_to(key) == "served"


def test_what_stripe_runs_is_left_to_it() -> None:
    account, plan = make_account(), make_plan("enterprise")
    price = make_price(plan)
    having(account, stripe_id="sub_1", price=price, current_period_end=clock.now() + DAY)
    row = Subscription.objects.values().get(account=account)
    later = clock.now() + 9 * DAY

    for act in (
        lambda: granting.grant(on(account), plan, reason="A partner.", by=BY),
        lambda: granting.extend(on(account), until=later, reason="A partner.", by=BY),
        lambda: granting.end(on(account), reason="A partner.", by=BY),
    ):
        with pytest.raises(ValidationError, match="Cancel it at Stripe first"):
            act()

    assert Subscription.objects.values().get(account=account) == row
    assert acts() == []


def test_what_stripe_ran_until_it_was_over_can_be_granted_anew() -> None:
    key, plan = make_key(), make_plan("enterprise")
    having(key.account, stripe_id="sub_1", status="canceled", ended_because="canceled")

    granting.grant(on(key.account), plan, reason="A partner.", by=BY)

    assert on(key.account).stripe_id is None
    assert answer_to(key) == "served"


PAST, SOON = clock.now() - DAY, clock.now() + DAY


@pytest.mark.parametrize(
    ("fields", "until", "where", "sentence"),
    [
        ({"current_period_end": SOON}, PAST, "until", "This moment is past."),
        ({"current_period_end": SOON}, SOON, "until", "already"),
        ({"current_period_end": None}, SOON, "__all__", "has no end"),
        ({"status": "incomplete"}, SOON, "__all__", "Grant it instead"),
        ({"status": "canceled"}, PAST, "until", "This moment is past."),
    ],
)
def test_an_extension_that_makes_no_sense_says_why(
    fields: dict[str, object], until: datetime, where: str, sentence: str
) -> None:
    account = make_account()
    having(account, **fields)

    with pytest.raises(ValidationError) as refused:
        granting.extend(on(account), until=until, reason="They asked.", by=BY)

    error = refused.value
    said = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    assert list(said) == [where]
    assert sentence in said[where][0]
    assert acts() == []


def test_nothing_is_done_without_a_reason_or_twice() -> None:
    account, plan = make_account(), make_plan("enterprise")
    having(account, current_period_end=SOON)

    for act in (
        lambda: granting.grant(on(account), plan, reason=" ", by=BY),
        lambda: granting.grant(on(account), plan, until=PAST, reason="A partner.", by=BY),
        lambda: granting.extend(on(account), until=SOON + DAY, reason="", by=BY),
        lambda: granting.end(on(account), reason="\n", by=BY),
    ):
        with pytest.raises(ValidationError):
            act()
    granting.end(on(account), reason="They asked.", by=BY)
    with pytest.raises(ValidationError, match="It has ended already"):
        granting.end(on(account), reason="They asked.", by=BY)

    assert len(acts()) == 1
