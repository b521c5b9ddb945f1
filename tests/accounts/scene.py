"""What there is to act on, for the table of verbs."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from accounts.audit import Actor
from accounts.models import Account, APIKey, Invitation, Membership, User
from billing.models import Credit, Customer, Override, Plan, Subscription, Trial
from billing.stripe_access import StripeAccess
from dashboard.models import (
    Announcement,
    Incident,
    Maintenance,
    SupportRequest,
    Switch,
)
from dashboard.switches import SwitchQuerySet
from gateway.models import LanguageModel, ModelRoute, Provider
from tests.billing.newcomers import trial_plan
from tests.people import make_colleague, make_key, make_plan, make_user

NOW = timezone.now()
LATER = NOW + timedelta(days=9)
SENT = {"sent_at": NOW - timedelta(hours=1), "expires_at": NOW + timedelta(days=1)}
CREDIT: dict[str, Any] = {"amount": 1000, "currency": "usd", "words": "w", "reason": "r"}


@dataclass
class Scene:
    """What there is to act on."""

    key: APIKey = field(default_factory=lambda: make_key().api_key)
    plan: Plan = field(default_factory=lambda: make_plan("another"))
    user: User = field(default_factory=make_user)

    @property
    def by(self) -> Actor:
        return Actor(self.user.email, self.user.pk, "192.0.2.7")

    @property
    def account(self) -> Account:
        return self.key.account

    def having(self, **fields: object) -> APIKey:
        """The key, as it is with these fields."""
        APIKey.objects.filter(pk=self.key.pk).update(**fields)
        self.key.refresh_from_db()
        return self.key

    def account_having(self, **fields: object) -> Account:
        Account.objects.filter(pk=self.account.pk).update(**fields)
        self.account.refresh_from_db()
        return self.account

    @property
    def owner(self) -> Membership:
        return self.account.memberships.get(role="owner")

    def colleague(self) -> Membership:
        return make_colleague(self.account, "viewer").memberships.get()

    def invitation(self, email: str = "new@example.com") -> Invitation:
        return Invitation.objects.create(
            account=self.account, email=email, role="viewer", digest=b"d", **SENT
        )

    def accepted(self) -> object:
        email = self.user.email
        EmailAddress.objects.create(user=self.user, email=email, verified=True)
        return self.invitation(email).accept(self.user, by=self.by)

    def trial(self) -> Trial:
        """One that is held, of an account that waits for it."""
        Subscription.objects.withhold(self.account, trial_plan())
        return Trial.objects.create(account=self.account, person="p", state="in_review")

    def override(self, by: Actor) -> Override:
        limits = {"requests_per_day": 1}
        return Override.objects.agree(self.account.subscription, limits=limits, reason="r", by=by)

    def agreed_before(self) -> Override:
        facts = {"limits": {"requests_per_day": 1}, "reason": "r", "created_by": "operator"}
        return Override.objects.create(subscription=self.account.subscription, **facts)

    def credited(self) -> Credit:
        with override_settings(STRIPE=StripeAccess("simulated")):
            return Credit.objects.give(self.account, by=self.by, **CREDIT)

    def credit(self) -> Credit:
        """One that Stripe has, and no invoice has used."""
        facts = {"mode": settings.STRIPE.mode, "currency": "usd"}
        customer = Customer.objects.create(
            account=self.account, stripe_id="cus_1", balance=-1000, **facts
        )
        given = {"customer": customer, "given_at": NOW, "next_attempt_at": None}
        return Credit.objects.create(account=self.account, **CREDIT | facts | given)

    def incident(self) -> Incident:
        return Incident.objects.create(title="Late")

    def maintenance(self) -> Maintenance:
        return Maintenance.objects.create(title="New", starts_at=NOW, ends_at=LATER)

    def announcement(self) -> Announcement:
        return Announcement.objects.create(text="New models.", created_by="operator")

    def switched_off(self) -> SwitchQuerySet:
        Switch.objects.create(name="signup", off_at=NOW)
        return Switch.objects.all()

    def asked(self) -> SupportRequest:
        facts = {"email": self.user.email, "text": "Why?", "mark": "m", "account": self.account}
        return SupportRequest.objects.open(**facts)

    def closed(self) -> SupportRequest:
        return SupportRequest.objects.create(state="closed", account=self.account)

    def provider(self, **fields: object) -> Provider:
        where = "http://127.0.0.1:9"
        return Provider.objects.create(slug="p", name="P", base_url=where, **fields)

    def model(self) -> LanguageModel:
        return LanguageModel.objects.create(model_id="m", owned_by="p", created_at=NOW)

    def route(self) -> ModelRoute:
        of = {"model": self.model(), "provider": self.provider()}
        return ModelRoute.objects.create(upstream_model="m", **of)
