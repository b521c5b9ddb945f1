"""When a plan ends its keys are refused, in words that say so; a renewal brings them back."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from accounts.audit import SYSTEM
from billing.agreements import Ended
from billing.models import Subscription, Trial
from billing.unserved import ENDED
from tests.billing.newcomers import trial_plan
from tests.gateway.site import Site
from tests.gateway.test_bad_input import check
from tests.gateway.test_key_rules import wait_for
from tests.people import make_key

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello"}]}
CHAT = "/v1/chat/completions"


def test_an_ended_plan_is_refused_at_once_and_a_renewed_one_served(
    site: Site, client: httpx.Client
) -> None:
    site.see_catalog()
    key, stranger = make_key(), make_key()
    assert client.post(CHAT, headers=key.headers, json=HELLO).status_code == 200
    subscription = Subscription.objects.get(account=key.account)

    subscription.expire()
    refused = client.post(CHAT, headers=key.headers, json=HELLO)
    served = client.post(CHAT, headers=stranger.headers, json=HELLO)
    subscription.renew(timezone.now() + timedelta(days=30))
    again = [client.post(CHAT, headers=key.headers, json=HELLO) for _ in range(1)]
    until = timezone.now() + timedelta(seconds=5)
    while again[-1].status_code != 200 and timezone.now() < until:
        again.append(client.post(CHAT, headers=key.headers, json=HELLO))

    words = check(refused, 403, "subscription_expired")
    assert "Renew" in words
    assert served.status_code == 200
    assert again[-1].status_code == 200


def waiting_for_review(subscription: Subscription) -> None:
    Subscription.objects.withhold(subscription.account, trial_plan())
    Trial.objects.create(account=subscription.account, person="p", state="in_review")


def unverified(subscription: Subscription) -> None:
    Subscription.objects.withhold(subscription.account, trial_plan())


def first_payment_due(subscription: Subscription) -> None:
    Subscription.objects.withhold(subscription.account, subscription.plan)


def ended(because: Ended) -> Callable[[Subscription], object]:
    return lambda subscription: subscription.expire(because)


def never_begun(because: Ended) -> Callable[[Subscription], object]:
    return lambda subscription: Subscription.objects.withhold(
        subscription.account, trial_plan(), because=because
    )


INCOMPLETE, EXPIRED = "subscription_incomplete", "subscription_expired"
REFUSALS: dict[str, tuple[Callable[[Subscription], object], str, str]] = {
    "in review": (waiting_for_review, INCOMPLETE, "being looked at by a person. You get mail"),
    "unverified": (unverified, INCOMPLETE, "Sign in and enter the code"),
    "first payment": (
        first_payment_due,
        INCOMPLETE,
        "first payment, which is not complete. Finish",
    ),
    "trial": (ended(Ended.TRIAL), EXPIRED, "trial of this account is over. Choose a plan"),
    "unpaid": (ended(Ended.UNPAID), EXPIRED, "because it was not paid. Under Billing you can pay"),
    "canceled": (ended(Ended.CANCELED), EXPIRED, "was cancelled and has ended. Renew it"),
    "disputed": (ended(Ended.DISPUTED), EXPIRED, "payment was taken back. Choose a plan"),
    "period": (ended(Ended.PERIOD), EXPIRED, "plan is over. Renew it"),
    "no trial": (never_begun(Ended.NO_TRIAL), EXPIRED, "one for each person. Choose a plan"),
    "refused": (never_begun(Ended.REFUSED), EXPIRED, "was not granted. Choose a plan"),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_every_refusal_says_why_and_what_to_do(client: httpx.Client, why: str) -> None:
    happens, code, words = REFUSALS[why]
    key = make_key()

    happens(Subscription.objects.get(account=key.account))
    refused = client.post(CHAT, headers=key.headers, json=HELLO)

    assert words in check(refused, 403, code)


def test_there_are_words_for_every_end() -> None:
    assert set(ENDED) == set(Ended)


def test_what_is_said_changes_with_the_decision(client: httpx.Client) -> None:
    key = make_key()

    def wait_to_hear(words: str) -> None:
        wait_for(lambda: words in client.post(CHAT, headers=key.headers, json=HELLO).text)

    Subscription.objects.withhold(key.account, trial_plan())
    wait_to_hear("enter the code")
    trial = Trial.objects.ask(key.account, "ada@mailinator.com", by=SYSTEM)
    wait_to_hear("being looked at")
    trial.refuse(by=SYSTEM)
    wait_to_hear("not granted")
    Trial.objects.give(key.account, "ada@mailinator.com", by=SYSTEM)
    wait_to_hear('"choices"')
