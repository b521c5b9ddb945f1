"""Who pays what: what contracts bring in a month, what was paid, what is owed."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Sum

from billing import clock, money
from billing.models import Invoice, Subscription
from billing.stripe_access import StripeAccess

PAYING = [Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE]


@dataclass(frozen=True, slots=True)
class Money:
    """Amounts in words, one of each currency. ``plans`` are the contracts that are served."""

    monthly: list[str]
    paid: list[str]
    owed: list[str]
    plans: list[tuple[str, int]]
    past_due: int
    mode: str


def look() -> Money:
    stripe: StripeAccess = settings.STRIPE
    month = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    served = Subscription.objects.filter(status__in=[*PAYING, Subscription.Status.TRIALING])
    plans = served.order_by().values_list("plan__name").annotate(number=Count("pk"))
    return Money(
        monthly=monthly(),
        paid=in_words("amount_paid", status="paid", created_at__gte=month),
        owed=in_words("amount_due", status__in=["open", "uncollectible"]),
        plans=list(plans.order_by("-number")),
        past_due=Subscription.objects.filter(status=Subscription.Status.PAST_DUE).count(),
        mode=stripe.mode,
    )


def monthly() -> list[str]:
    """What the contracts that Stripe runs bring in a month, spread over their periods."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    rows = Subscription.objects.at_stripe().filter(status__in=PAYING).order_by()
    grouped = rows.values_list(
        "price__currency", "price__unit_amount", "price__interval_months"
    ).annotate(Count("pk"))
    for currency, amount, months, number in grouped:
        sums[currency] += Decimal(amount) * number / months
    return [money.written(round(value), currency) for currency, value in sorted(sums.items())]


def in_words(field: str, **which: object) -> list[str]:
    """The sum of a field of these invoices, for each currency."""
    rows = Invoice.objects.filter(**which).order_by().values_list("currency")
    sums = rows.annotate(sum=Sum(field)).order_by("currency")
    return [money.written(value, currency) for currency, value in sums if value]
