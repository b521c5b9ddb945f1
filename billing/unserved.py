"""Why an account is not served though it has a plan, and what its people can do about it.

The API and the pages say it in the same words.
"""

from typing import NamedTuple

from billing.agreements import Ended, Status
from billing.subscriptions import Subscription
from billing.trials import State

CHOOSE = "Choose a plan under Billing to go on."
UNVERIFIED = (
    "The trial of this account has not begun: its owner has not verified their e-mail address. "
    "Sign in and enter the code that was mailed."
)
IN_REVIEW = (
    "The trial of this account is being looked at by a person. You get mail when that is done; "
    "or choose a plan under Billing and begin at once."
)
UNPAID_YET = (
    "The plan of this account begins with its first payment, which is not complete. "
    "Finish it under Billing."
)
ENDED = {
    Ended.TRIAL: f"The trial of this account is over. {CHOOSE}",
    Ended.UNPAID: (
        "The plan of this account has ended because it was not paid. "
        "Under Billing you can pay for it or choose another one."
    ),
    Ended.CANCELED: (
        "The plan of this account was cancelled and has ended. "
        "Renew it or choose another one under Billing."
    ),
    Ended.DISPUTED: (
        "The plan of this account has ended because its payment was taken back. "
        "Choose a plan under Billing to go on, or write to whoever runs this server."
    ),
    Ended.PERIOD: (
        "The time of this account's plan is over. Renew it or choose another one under Billing."
    ),
    Ended.NO_TRIAL: (
        "This account has no trial: its owner has asked for one before, and there is one for "
        "each person. Choose a plan under Billing to begin."
    ),
    Ended.REFUSED: (
        "The trial of this account was not granted. Choose a plan under Billing to begin."
    ),
}
ENDED_SOMEHOW = "The plan of this account has ended. Renew it or choose another one under Billing."


class Unserved(NamedTuple):
    code: str
    words: str


def unserved(subscription: Subscription) -> Unserved | None:
    """None of an account that is served."""
    if subscription.status == Status.CANCELED:
        words = ENDED.get(Ended(subscription.ended_because)) if subscription.ended_because else None
        return Unserved("subscription_expired", words or ENDED_SOMEHOW)
    if subscription.status != Status.INCOMPLETE:
        return None
    return Unserved("subscription_incomplete", _not_begun(subscription))


def _not_begun(subscription: Subscription) -> str:
    if not subscription.plan.trial or subscription.stripe_id:
        return UNPAID_YET
    in_review = subscription.account.trials.filter(state=State.IN_REVIEW)
    return IN_REVIEW if in_review.exists() else UNVERIFIED
