"""Copies Stripe's invoices for our pages, and finds the renewals that nobody was told of yet."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any

import stripe
from django.utils import timezone

from accounts import notices
from accounts.models import Account
from billing.agreements import Renewal
from billing.contracts import Prices, subscription_of
from billing.invoices import Invoice
from billing.plans import Plan
from billing.readings import Reading
from billing.stripe_api import moment

Period = tuple[int, int]  # Unix seconds


def copy_invoices(account: Account, reading: Reading, prices: Prices) -> list[Invoice]:
    """All of them, as they are now, the oldest first. A dispute is told to the operators."""
    ordered = sorted(reading.invoices, key=lambda one: (one.created, str(one.id)))
    copies = [_copy(account, seen, reading, prices) for seen in ordered]
    for copy in copies:
        if copy.dispute:
            once = f"dispute {copy.stripe_id} {copy.dispute}"
            notices.tell(None, "dispute", once=once, invoice=copy)
    return copies


def renewals_of(
    copies: Iterable[Invoice], reading: Reading, ours: Collection[str]
) -> list[Renewal]:
    """The periods of ``ours`` that were renewed by a payment; each is found only once.

    What is paid when all is over renews nothing.
    """
    ended = {one.id: one.ended_at for one in reading.subscriptions if one.ended_at}
    paid_at = {str(one.id): one.status_transitions.paid_at or 0 for one in reading.invoices}
    found = []
    for copy in copies:
        renews = copy.status == "paid" and copy.reason == "subscription_cycle"
        in_time = paid_at[copy.stripe_id] <= ended.get(copy.subscription, math.inf)
        if renews and in_time and copy.subscription in ours and copy.renewal_told_at is None:
            copy.renewal_told_at = timezone.now()
            copy.save(update_fields=["renewal_told_at"])
            found.append(Renewal(copy.period_start, copy.period_end, copy.plan_slug))
    return found


def _copy(account: Account, seen: stripe.Invoice, reading: Reading, prices: Prices) -> Invoice:
    (start, end), plan = _period(seen), _plan(seen, prices)
    facts: dict[str, Any] = {
        "subscription": subscription_of(seen),
        "number": seen.number or "",
        "status": seen.status or "draft",
        "reason": seen.billing_reason or "",
        "about": plan.name if plan else "",
        "plan_slug": plan.slug if plan else "",
        "currency": seen.currency,
        "total": seen.total,
        "amount_due": seen.amount_due,
        "amount_paid": seen.amount_paid,
        "period_start": moment(start),
        "period_end": moment(end),
        "created_at": moment(seen.created),
        "next_attempt_at": moment(at) if (at := seen.next_payment_attempt) else None,
        "hosted_url": seen.hosted_invoice_url or "",
        "pdf_url": seen.invoice_pdf or "",
    }
    payments = list(reading.charges_of(seen))
    facts["refunded"] = sum(charge.amount_refunded for _, charge in payments)
    facts["dispute"] = next(
        (reading.disputes[intent] for intent, _ in payments if intent in reading.disputes), ""
    )
    copy, _ = Invoice.objects.update_or_create(
        stripe_id=str(seen.id), account=account, defaults=facts
    )
    return copy


def _period(seen: stripe.Invoice) -> Period:
    """What is paid for. ``period_start`` of a renewal is that of the period before it."""
    spans = [(line.period.start, line.period.end) for line in seen.lines.data]
    return max(spans, key=lambda span: (span[1], span[0]), default=(seen.created, seen.created))


def _plan(seen: stripe.Invoice, prices: Prices) -> Plan | None:
    """That of the line that says the most."""
    for line in sorted(seen.lines.data, key=lambda line: -line.amount):
        details = line.pricing and line.pricing.price_details
        price = prices.get(str(details.price)) if details else None
        if price:
            return price.plan
    return None
