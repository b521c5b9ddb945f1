"""The end of an account, in two steps an hour apart.

When the countdown is over the account is closed: keys are refused, nobody belongs to it. What it
used is removed an hour later, when the last requests have ended and been recorded. Each step can
be repeated, or cut off and taken up again: what is done stays done.
"""

import logging
from datetime import timedelta

import stripe
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account
from billing.leaving import stop_paying
from billing.models import StripeEvent, Subscription, Trial
from billing.stripe_api import StripeAway
from usage.long_kept import LongKept
from usage.models import (
    AccountDay,
    EndUserDay,
    EndUserHour,
    ErrorHour,
    Payload,
    RequestLog,
    UsageAdjustment,
    UsageHour,
)

log = logging.getLogger(__name__)
SETTLED = timedelta(hours=1)
AT_ONCE = 10_000
USED = (
    *(RequestLog, Payload, LongKept),
    *(UsageHour, EndUserHour, EndUserDay, ErrorHour, AccountDay, UsageAdjustment),
)


def delete_due_accounts() -> None:
    """Take every account whose time has come one step further."""
    for account in Account.objects.filter(closed_at=None, deletion_due_at__lte=timezone.now()):
        account.close()
    for account in Account.objects.filter(closed_at__lte=timezone.now() - SETTLED):
        try:
            stop_paying(account)
        except (StripeAway, stripe.StripeError) as error:  # it would be charged for ever
            log.warning("account %s stays until Stripe can be asked: %s", account.pk, error)
        else:
            purge(account)


def purge(account: Account) -> None:
    """Remove what was kept of a closed account, and at last the account."""
    assert account.closed_at, "only what is closed may be purged"
    for model in USED:
        while remove_some(model._meta.db_table, account.pk):
            pass
    with transaction.atomic():
        customers = account.stripe_customers.values("stripe_id")
        StripeEvent.objects.filter(customer__in=customers).delete()
        Subscription.objects.filter(account=account).delete()
        Trial.objects.forget(account)
        account.delete()


def remove_some(table: str, account_pk: int) -> int:
    """Delete up to ``AT_ONCE`` rows of an account, so that no transaction is long."""
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {name} WHERE (tableoid, ctid) IN"  # noqa: S608
            f" (SELECT tableoid, ctid FROM {name} WHERE account_id = %s LIMIT %s)",
            [account_pk, AT_ONCE],
        )
        removed: int = cursor.rowcount
    return removed
