"""An invoice as a page to read or print: what we keep of it, and the way to the document."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.guards import members_who_may
from accounts.memberships import Membership
from accounts.middleware import AccountRequest
from accounts.roles import Right
from billing import money
from billing.invoices import NOT_ISSUED, Invoice


@dataclass(frozen=True, slots=True)
class Amounts:
    """Of an invoice, written out."""

    invoice: Invoice

    @property
    def paid(self) -> str:
        return self._written(self.invoice.amount_paid)

    @property
    def credited(self) -> str:
        """What was not charged because of a balance; empty where there is nothing of it."""
        less = self.invoice.total - self.invoice.amount_due
        return self._written(-less) if less > 0 else ""

    @property
    def due(self) -> str:
        """What is still to be paid."""
        rest = self.invoice.amount_due - self.invoice.amount_paid
        return self._written(max(rest, 0) if self.invoice.owed else 0)

    def _written(self, amount: int) -> str:
        return money.written(amount, self.invoice.currency)


@require_safe
@members_who_may(Right.MANAGE_BILLING)
def invoice(request: AccountRequest, pk: int) -> HttpResponse:
    """One that was issued to this account."""
    issued = request.account.invoices.exclude(status__in=NOT_ISSUED)
    found = get_object_or_404(issued, pk=pk)
    owner = request.account.memberships.get(role=Membership.Role.OWNER).user
    context = {"invoice": found, "amounts": Amounts(found), "owner": owner}
    return render(request, "billing/invoice.html", context)
