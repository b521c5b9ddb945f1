"""Every verb that asks by whom it is done puts just what it did on record; a new one needs a row.

A row of the table: the verb, how it is done, and the act that is found afterwards.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import models
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.audit import CONSOLE, Action, Actor, AuditEntry
from accounts.audit_actions import GROUPS
from accounts.models import Account, APIKey, Invitation, Membership, User
from billing.models import Override, Plan, Subscription, Trial
from dashboard.models import Incident, Maintenance
from gateway.models import LanguageModel, ModelRoute, Provider
from tests.billing.newcomers import trial_plan
from tests.people import make_colleague, make_key, make_plan, make_user

pytestmark = pytest.mark.django_db
APPS = {"dashboard", "gateway", "usage", "billing", "accounts", "webhooks"}


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

    def incident(self) -> Incident:
        return Incident.objects.create(title="Late")

    def maintenance(self) -> Maintenance:
        return Maintenance.objects.create(title="New", starts_at=NOW, ends_at=LATER)

    def route(self) -> ModelRoute:
        provider = Provider.objects.create(slug="p", name="P", base_url="http://127.0.0.1:9")
        model = LanguageModel.objects.create(model_id="m", owned_by="p", created_at=timezone.now())
        return ModelRoute.objects.create(model=model, provider=provider, upstream_model="m")


NOW = timezone.now()
LATER = NOW + timedelta(days=9)
SENT = {"sent_at": NOW - timedelta(hours=1), "expires_at": NOW + timedelta(days=1)}
OF_THE_SERVER = ("ModelRoute", "Incident", "Maintenance")  # these concern no account
VERBS: dict[str, tuple[Callable[[Scene], object], Action]] = {
    "Account.suspend": (lambda s: s.account.suspend(by=s.by), Action.ACCOUNT_SUSPENDED),
    "Account.reinstate": (lambda s: s.account.reinstate(by=s.by), Action.ACCOUNT_REINSTATED),
    "APIKeyQuerySet.issue": (
        lambda s: APIKey.objects.issue(s.account, name="CI", scopes=[], by=s.by),
        Action.API_KEY_CREATED,
    ),
    "APIKey.limit": (
        lambda s: s.key.limit({"requests_per_day": 1}, by=s.by),
        Action.API_KEY_LIMITED,
    ),
    "APIKey.change": (lambda s: s.key.change(name="Other", by=s.by), Action.API_KEY_RENAMED),
    "APIKey.deactivate": (lambda s: s.key.deactivate(by=s.by), Action.API_KEY_DEACTIVATED),
    "APIKey.reactivate": (
        lambda s: s.having(deactivated_at=NOW).reactivate(by=s.by),
        Action.API_KEY_REACTIVATED,
    ),
    "APIKey.rotate": (lambda s: s.key.rotate(by=s.by, until=LATER), Action.API_KEY_ROTATED),
    "APIKey.report_leaked": (
        lambda s: s.key.report_leaked("a page", by=s.by, only_tell=True),
        Action.API_KEY_LEAKED,
    ),
    "APIKey.capture_calls": (
        lambda s: s.key.capture_calls("all", by=s.by),
        Action.API_KEY_CAPTURE_CHANGED,
    ),
    "APIKeyQuerySet.open_playground": (
        lambda s: APIKey.objects.open_playground(s.account, by=s.by),
        Action.API_KEY_CREATED,
    ),
    "Account.rename": (lambda s: s.account.rename("New", by=s.by), Action.ACCOUNT_RENAMED),
    "Account.hide_end_users": (
        lambda s: s.account.hide_end_users(True, by=s.by),
        Action.ACCOUNT_SETTINGS_CHANGED,
    ),
    "Account.freeze": (lambda s: s.account.freeze(by=s.by), Action.ACCOUNT_FROZEN),
    "Account.thaw": (
        lambda s: s.account_having(frozen_at=NOW).thaw(by=s.by),
        Action.ACCOUNT_THAWED,
    ),
    "Account.choose_leak_policy": (
        lambda s: s.account.choose_leak_policy("tell", by=s.by),
        Action.ACCOUNT_SETTINGS_CHANGED,
    ),
    "Account.keep_payloads_for": (
        lambda s: s.account.keep_payloads_for(1, by=s.by),
        Action.ACCOUNT_SETTINGS_CHANGED,
    ),
    "Account.schedule_deletion": (
        lambda s: s.account.schedule_deletion(by=s.by),
        Action.ACCOUNT_DELETION_SCHEDULED,
    ),
    "Account.call_off_deletion": (
        lambda s: s.account_having(deletion_due_at=LATER).call_off_deletion(by=s.by),
        Action.ACCOUNT_DELETION_CANCELLED,
    ),
    "InvitationQuerySet.invite": (
        lambda s: Invitation.objects.invite("a@example.com", "viewer", inviter=s.owner, by=s.by),
        Action.MEMBER_INVITED,
    ),
    "Invitation.resend": (lambda s: s.invitation().resend(by=s.by), Action.MEMBER_INVITED),
    "Invitation.withdraw": (
        lambda s: s.invitation().withdraw(by=s.by),
        Action.INVITATION_WITHDRAWN,
    ),
    "Invitation.accept": (lambda s: s.accepted(), Action.INVITATION_ACCEPTED),
    "Membership.change_role": (
        lambda s: s.colleague().change_role("admin", giver=s.owner, by=s.by),
        Action.MEMBER_ROLE_CHANGED,
    ),
    "Membership.remove": (
        lambda s: s.colleague().remove(remover=s.owner, by=s.by),
        Action.MEMBER_REMOVED,
    ),
    "Membership.leave": (lambda s: s.colleague().leave(by=s.by), Action.MEMBER_LEFT),
    "Membership.hand_over": (
        lambda s: s.owner.hand_over(s.colleague(), by=s.by),
        Action.OWNERSHIP_TRANSFERRED,
    ),
    "User.end": (lambda s: s.colleague().user.end(by=s.by), Action.MEMBER_LEFT),
    "APIKey.revoke": (lambda s: s.key.revoke(by=s.by), Action.API_KEY_REVOKED),
    "SubscriptionQuerySet.start": (
        lambda s: Subscription.objects.start(s.account, s.plan, by=s.by),
        Action.PLAN_CHANGED,
    ),
    "TrialQuerySet.ask": (
        lambda s: Trial.objects.ask(s.account, s.user.email, by=s.by),
        Action.TRIAL_GRANTED,
    ),
    "TrialQuerySet.give": (
        lambda s: Trial.objects.give(s.account, s.user.email, by=s.by),
        Action.TRIAL_GRANTED,
    ),
    "Trial.grant": (lambda s: s.trial().grant(by=s.by), Action.TRIAL_GRANTED),
    "Trial.refuse": (lambda s: s.trial().refuse(by=s.by), Action.TRIAL_REFUSED),
    "Subscription.renew": (
        lambda s: s.account.subscription.renew(LATER, by=s.by),
        Action.PLAN_RENEWED,
    ),
    "Subscription.tell_renewed": (
        lambda s: s.account.subscription.tell_renewed(by=s.by),
        Action.PLAN_RENEWED,
    ),
    "Subscription.expire": (
        lambda s: s.account.subscription.expire(by=s.by),
        Action.PLAN_EXPIRED,
    ),
    "OverrideQuerySet.agree": (lambda s: s.override(by=s.by), Action.LIMITS_OVERRIDDEN),
    "Override.end": (
        lambda s: s.agreed_before().end(by=s.by),
        Action.LIMITS_OVERRIDE_ENDED,
    ),
    "IncidentQuerySet.open": (
        lambda s: Incident.objects.open("Late", "It is.", by=s.by),
        Action.INCIDENT_OPENED,
    ),
    "Incident.update": (
        lambda s: s.incident().update("identified", "We know.", by=s.by),
        Action.INCIDENT_UPDATED,
    ),
    "Incident.resolve": (
        lambda s: s.incident().resolve("Over.", by=s.by),
        Action.INCIDENT_RESOLVED,
    ),
    "MaintenanceQuerySet.plan": (
        lambda s: Maintenance.objects.plan(
            "New", "It will be.", starts_at=LATER, ends_at=LATER + timedelta(hours=1), by=s.by
        ),
        Action.MAINTENANCE_PLANNED,
    ),
    "Maintenance.update": (
        lambda s: s.maintenance().update("Soon.", by=s.by),
        Action.MAINTENANCE_UPDATED,
    ),
    "Maintenance.begin": (
        lambda s: s.maintenance().begin("Now.", by=s.by),
        Action.MAINTENANCE_BEGUN,
    ),
    "Maintenance.end": (
        lambda s: s.maintenance().end("Over.", by=s.by),
        Action.MAINTENANCE_ENDED,
    ),
    "ModelRoute.switch_off": (lambda s: s.route().switch_off(by=s.by), Action.ROUTE_SWITCHED_OFF),
    "ModelRoute.switch_on": (lambda s: s.route().switch_on(by=s.by), Action.ROUTE_SWITCHED_ON),
}


def verbs() -> Iterator[str]:
    """Every method of our models and their sets of rows that asks by whom it is done."""
    for model in apps.get_models():
        if model._meta.app_label not in APPS:
            continue
        rows: type[models.QuerySet[models.Model]] = type(model._default_manager.all())
        for owner in (model, rows):
            for name, method in vars(owner).items():
                if callable(method) and not name.startswith("_") and asks_by_whom(method):
                    yield f"{owner.__name__}.{name}"


def asks_by_whom(method: Callable[..., object]) -> bool:
    return not isinstance(method, type) and "by" in inspect.signature(method).parameters


def test_every_verb_has_its_row() -> None:
    assert set(verbs()) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_on_record_with_who_did_it(verb: str) -> None:
    scene = Scene()
    do, action = VERBS[verb]
    before = AuditEntry.objects.count()

    do(scene)

    entry = AuditEntry.objects.latest("pk")
    assert AuditEntry.objects.count() == before + 1
    assert entry.action == action
    assert (entry.actor, entry.user_id, entry.ip) == (scene.user.email, scene.user.pk, "192.0.2.7")
    assert entry.account_id == (None if verb.startswith(OF_THE_SERVER) else scene.account.pk)
    assert not list(audit.verify())


def test_an_operator_is_called_one(client: Client) -> None:
    operator = User.objects.create_superuser("operator@example.com", "correct horse")
    key = make_key().api_key
    client.force_login(operator)

    form = {"action": "revoke", "_selected_action": [key.pk]}
    client.post("/ops/accounts/apikey/", form)

    entry = key.account.audit_entries.latest("number")
    assert (entry.action, entry.user_id) == (Action.API_KEY_REVOKED, operator.pk)
    assert entry.actor == "operator operator@example.com"


def test_who_is_made_an_operator_is_on_record() -> None:
    User.objects.create_superuser("operator@example.com", "correct horse")

    entry = AuditEntry.objects.get(chain=0)
    assert (entry.action, entry.actor) == (Action.OPERATOR_MADE, CONSOLE.name)
    assert entry.about == "operator@example.com"


@pytest.mark.parametrize("page", ["add/", "1/delete/", "1/change/", "1/history/", ""])
def test_operators_read_the_record_and_change_nothing(client: Client, page: str) -> None:
    client.force_login(User.objects.create_superuser("operator@example.com", "correct horse"))
    entry = AuditEntry.objects.get()
    before = AuditEntry.objects.values().get()
    path = f"/ops/accounts/auditentry/{page.replace('1', str(entry.pk))}"

    answers = [client.get(path), client.post(path, {"actor": "nobody", "post": "yes"})]

    assert all(answer.status_code in {200, 302, 403} for answer in answers)
    assert AuditEntry.objects.values().get() == before


def test_no_page_of_operators_edits_rows_by_hand(client: Client) -> None:
    client.force_login(User.objects.create_superuser("operator@example.com", "correct horse"))

    for path in ("account/emailaddress/", "auth/group/"):
        assert client.get(f"/ops/{path}").status_code == 404


def test_there_are_many_acts_and_each_can_be_asked_for() -> None:
    beginnings = [beginning for _, several in GROUPS.values() for beginning in several]

    assert len(Action) >= 40
    for action in Action:
        assert sum(action.startswith(beginning) for beginning in beginnings) == 1, action


def test_what_postgresql_cannot_keep_does_not_prevent_the_act() -> None:
    user = make_user()
    account = Account.objects.open_for(user)
    odd = "a\0b\ud800" + "x" * 400

    entry = audit.record(
        account, Action.ACCOUNT_RENAMED, by=Actor(odd, 1, odd), about=odd, name=odd, all=[odd, odd]
    )

    entry.refresh_from_db()
    assert entry.about.startswith("a\ufffdb?xxx")
    assert len(entry.about) == 300
    assert not list(audit.verify())
