"""The invoices of an account, as Stripe has issued them."""

from __future__ import annotations

from django.db import models

from billing import money

OWED = ("open", "uncollectible")
NOT_ISSUED = ("draft", "void")


class Invoice(models.Model):
    """A copy for our pages, and the memory of what was told about it. Amounts as at Stripe."""

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="invoices"
    )
    stripe_id = models.CharField(max_length=100, unique=True)
    subscription = models.CharField(max_length=100, blank=True)
    number = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=20)  # draft, open, paid, uncollectible, void
    reason = models.CharField(max_length=40)  # Stripe's billing_reason
    about = models.CharField(max_length=100, blank=True)  # the plan's name then
    plan_slug = models.CharField(max_length=50, blank=True)
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    amount_due = models.BigIntegerField()
    amount_paid = models.BigIntegerField()
    refunded = models.BigIntegerField(default=0)
    dispute = models.CharField(max_length=40, blank=True)  # its status, where there is one
    period_start = models.DateTimeField()  # that is paid for
    period_end = models.DateTimeField()
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)
    hosted_url = models.URLField(max_length=1000, blank=True)
    pdf_url = models.URLField(max_length=1000, blank=True)
    renewal_told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["account", "-created_at"], name="invoice_of_account")]

    def __str__(self) -> str:
        return self.number or self.stripe_id

    @property
    def in_words(self) -> str:
        return money.written(self.total, self.currency)

    @property
    def refunded_in_words(self) -> str:
        return money.written(self.refunded, self.currency)

    @property
    def owed(self) -> bool:
        return self.status in OWED

    @property
    def word(self) -> str:
        """What became of it."""
        if self.dispute and self.dispute != "won":
            return "disputed"
        if self.refunded:
            return "refunded" if self.refunded >= self.amount_paid else "partly refunded"
        return {"open": "unpaid", "uncollectible": "unpaid"}.get(self.status, self.status)

    @property
    def tone(self) -> str:
        return {"paid": "ok", "unpaid": "bad", "disputed": "bad"}.get(self.word, "muted")
