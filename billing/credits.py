"""Money that operators credit to an account, which Stripe takes off what it is to pay next.

The row is the truth, and the queue only a nudge: ``billing.balances`` asks Stripe, as often as it
takes, and once at most does it happen there.
"""

from __future__ import annotations

import logging
import uuid
from typing import NamedTuple

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from accounts import audit, notices
from accounts.audit import Action, Actor
from accounts.models import Account
from billing import money
from billing.customers import Customer

log = logging.getLogger(__name__)
TASK = "billing.tasks.settle_credit"
MOST = 99_999_999  # of the smallest unit: Stripe takes eight digits
NO_STRIPE = "Nothing is paid through Stripe here; extend the plan instead."


class Left(NamedTuple):
    """What no invoice has used yet of one credit."""

    credit: Credit
    amount: int

    @property
    def in_words(self) -> str:
        return money.written(self.amount, self.credit.currency)

    @property
    def is_whole(self) -> bool:
        return self.amount == self.credit.amount


class CreditQuerySet(models.QuerySet["Credit"]):
    def ours(self) -> CreditQuerySet:
        """Those of the Stripe that we speak with; another one knows nothing of them."""
        return self.filter(mode=settings.STRIPE.mode)

    def due(self) -> CreditQuerySet:
        """Those of which Stripe is to be asked something."""
        return self.ours().filter(next_attempt_at__lte=timezone.now())

    def left(self, customer: Customer) -> list[Left]:
        """Those that are not used up, newest first: the oldest is used first."""
        rest, found = customer.credit, []
        held = self.filter(customer=customer, given_at__isnull=False, taken_back_at=None)
        for credit in held.order_by("-given_at", "-pk"):
            if rest <= 0:
                break
            found.append(Left(credit, min(rest, credit.amount)))
            rest -= credit.amount
        return found

    @transaction.atomic
    def give(
        self,
        account: Account,
        *,
        amount: int,
        currency: str,
        words: str,
        reason: str,
        by: Actor,
        token: uuid.UUID | None = None,
    ) -> Credit:
        """Have ``amount`` taken off what ``account`` is to pay next.

        ``words`` are for its people, ``reason`` is for the record. With a ``token`` that was there
        before nothing more is given. Raises ValidationError, by field.
        """
        refuse_unless_payable(account, currency)
        said = {"account": account, "amount": amount, "currency": currency, "mode": _mode()}
        said |= {"words": words.strip(), "reason": reason.strip(), "created_by": by.name}
        self.model(**said).full_clean()
        credit, is_new = self.get_or_create(token=token or uuid.uuid4(), defaults=said)
        if is_new:
            credit._put_on_record(Action.CREDIT_GIVEN, by)
            transaction.on_commit(credit.nudge)
        return credit


class Credit(models.Model):
    """One credit, in the smallest unit of ``currency``.

    Stripe has it since ``given_at``. An operator has taken it back at ``revoked_at``, and Stripe
    since ``taken_back_at``. ``next_attempt_at`` is None while Stripe is to be asked nothing.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="credits"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="credits"
    )
    token = models.UUIDField(default=uuid.uuid4, unique=True)  # by which Stripe knows it again
    mode = models.CharField(max_length=10)
    amount = models.PositiveIntegerField(
        validators=[
            MinValueValidator(1, "Enter more than nothing."),
            MaxValueValidator(MOST, "Stripe takes amounts of eight digits at most."),
        ]
    )
    currency = models.CharField(max_length=3)
    words = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(default=timezone.now, null=True, blank=True)
    failed_because = models.CharField(max_length=300, blank=True)
    given_at = models.DateTimeField(null=True, blank=True)
    stripe_id = models.CharField(max_length=100, null=True, blank=True, unique=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    reversal = models.CharField(max_length=100, blank=True)  # Stripe's id of taking it back
    objects = CreditQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="credit_is_something"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(next_attempt_at__isnull=False),
                name="credit_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.in_words} for {self.account}"

    @property
    def in_words(self) -> str:
        return money.written(self.amount, self.currency)

    @property
    def is_refused(self) -> bool:
        return self.given_at is None and self.next_attempt_at is None

    @property
    def state(self) -> str:
        if self.given_at is None:
            return "refused by Stripe" if self.is_refused else "on its way to Stripe"
        if self.taken_back_at:
            return "taken back"
        return "being taken back" if self.revoked_at else "given"

    @property
    def entries(self) -> dict[str, int]:
        """What Stripe's ledger holds of it, by id: there a credit is negative."""
        ids = {str(self.stripe_id): -self.amount, self.reversal: self.amount}
        return {key: amount for key, amount in ids.items() if key not in ("", "None")}

    @transaction.atomic
    def take_back(self, *, by: Actor) -> None:
        """Charge for it again, while none of it is used. Raises ValidationError."""
        held = Credit.objects.select_for_update().get(pk=self.pk)
        if why_not := held.bound_because:
            raise ValidationError(why_not)
        held.revoked_at = held.next_attempt_at = timezone.now()
        held.failed_because = ""
        held.save(update_fields=["revoked_at", "next_attempt_at", "failed_because"])
        held._put_on_record(Action.CREDIT_TAKEN_BACK, by)
        transaction.on_commit(held.nudge)

    @property
    def bound_because(self) -> str:
        """Why it cannot be taken back; empty if it can."""
        if self.given_at is None or self.customer is None:
            return "Stripe does not have it: there is nothing to take back."
        if self.revoked_at:
            return "It was taken back before."
        if self.mode != settings.STRIPE.mode or self.customer.gone_at:
            return "The Stripe that we speak with does not know this customer."
        if self.customer.credit < self.amount:
            return f"Only {self.customer.credit_in_words} is left: what is used stays with them."
        return ""

    def try_again(self) -> bool:
        """Ask Stripe once more for what it has refused. False if there is no such thing."""
        refused = Credit.objects.ours().filter(pk=self.pk, given_at=None, next_attempt_at=None)
        again = refused.update(next_attempt_at=timezone.now(), failed_because="")
        if again:
            transaction.on_commit(self.nudge)
        return bool(again)

    @transaction.atomic
    def confirm(self, customer: Customer, entry: str) -> None:
        """Stripe has done it. Their people are told, once."""
        back, now = self.revoked_at is not None, timezone.now()
        done: dict[str, object] = {"given_at": now, "stripe_id": entry, "customer": customer}
        if back:
            done = {"taken_back_at": now, "reversal": entry}
        waits = {"taken_back_at" if back else "given_at": None}
        rows = Credit.objects.filter(pk=self.pk, **waits)
        if rows.update(**done, next_attempt_at=None, failed_because=""):
            self.refresh_from_db()
            letter = "credit_taken_back" if back else "credit_given"
            once = f"{letter} {self.token}"
            notices.tell(self.account, letter, once=once, about_money=True, credit=self)

    @transaction.atomic
    def refuse(self, because: str) -> None:
        """It cannot be done, and stays as it was before; the operators are told."""
        rows = Credit.objects.filter(pk=self.pk, next_attempt_at__isnull=False)
        if rows.update(next_attempt_at=None, revoked_at=None, failed_because=because[:300]):
            back = self.revoked_at is not None
            self.refresh_from_db()
            notices.tell(None, "credit_refused", credit=self, back=back)

    def nudge(self) -> None:
        """Have a worker ask Stripe; where the broker is away, the sweep will."""
        try:
            current_app.send_task(TASK, [self.pk], retry=False, expires=60)
        except Exception as error:
            log.warning("the credit %s waits for the sweep: %s", self.pk, error)

    def _put_on_record(self, action: Action, by: Actor) -> None:
        said = {"reason": self.reason, "words": self.words}
        audit.record(self.account, action, by=by, about=self.in_words, **said)


def refuse_unless_payable(account: Account, currency: str) -> None:
    """Raises ValidationError where no invoice would ever use a credit."""
    if _mode() == "none":
        raise ValidationError(NO_STRIPE)
    if account.deletion_due_at:
        raise ValidationError("This account is about to be deleted.")
    customer = Customer.objects.ours().filter(account=account).first()
    if customer and customer.currency not in ("", currency):
        raise ValidationError({"currency": f"This account pays in {customer.currency.upper()}."})


def _mode() -> str:
    return settings.STRIPE.mode
