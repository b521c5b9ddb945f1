"""An account that goes away pays no more."""

from accounts.models import Account
from billing.checkouts import Checkout
from billing.contracts import OVER
from billing.customers import Customer
from billing.readings import subscriptions_of
from billing.stripe_api import asking


def stop_paying(account: Account) -> None:
    """End all that Stripe would charge this account for, at once; what is left is not given back.

    Done again it does nothing. Raises StripeAway, stripe.StripeError; then it is to be done again.
    """
    customer = Customer.objects.ours().filter(account=account).first()
    if customer is None:
        return
    with asking() as client:
        for checkout in customer.checkouts.filter(state=Checkout.State.OPEN):
            if checkout.stripe_id is None:
                checkout.close_unseen()
            elif client.v1.checkout.sessions.retrieve(checkout.stripe_id).status == "open":
                client.v1.checkout.sessions.expire(checkout.stripe_id)
        for subscription in subscriptions_of(customer, client):
            if subscription.status not in OVER:
                client.v1.subscriptions.cancel(subscription.id)
