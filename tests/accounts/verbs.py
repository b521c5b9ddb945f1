"""Every verb that asks by whom it is done: how it is done, and the act that is found afterwards."""

from collections.abc import Callable
from datetime import timedelta

from accounts.audit import Action
from accounts.features import SIGNUP
from accounts.models import APIKey, Invitation
from billing.models import Drift, StripeEvent, Subscription, Trial
from dashboard.models import (
    Announcement,
    Incident,
    Maintenance,
    Receiver,
    Subscriber,
    Switch,
)
from tests.accounts.scene import LATER, NOW, Scene

OF_THE_SERVER = (
    "Provider",
    "LanguageModel",
    "ModelRoute",
    "Incident",
    "Maintenance",
    "Announcement",
    "Switch",
    "Subscriber.",
    "Receiver.",
    "StripeEvent.",
)  # these concern no account
VERBS: dict[str, tuple[Callable[[Scene], object], Action]] = {
    "Account.suspend": (lambda s: s.account.suspend(by=s.by), Action.ACCOUNT_SUSPENDED),
    "Account.reinstate": (
        lambda s: s.account_having(suspended_at=NOW).reinstate(by=s.by),
        Action.ACCOUNT_REINSTATED,
    ),
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
    "CreditQuerySet.give": (
        lambda s: s.credited(),
        Action.CREDIT_GIVEN,
    ),
    "Subscription.keep_logs": (
        lambda s: s.account.subscription.keep_logs("extended", by=s.by),
        Action.RETENTION_CHANGED,
    ),
    "Drift.see_to": (
        lambda s: Drift.objects.create(account=s.account, stripe_id="sub_1", what="status").see_to(
            by=s.by
        ),
        Action.DRIFT_SEEN_TO,
    ),
    "StripeEvent.look_again": (
        lambda s: StripeEvent.objects.create(
            stripe_id="evt_1", type="x", mode="test", happened_at=NOW
        ).look_again(by=s.by),
        Action.STRIPE_EVENT_REPEATED,
    ),
    "Credit.take_back": (
        lambda s: s.credit().take_back(by=s.by),
        Action.CREDIT_TAKEN_BACK,
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
    "Subscriber.remove": (
        lambda s: Subscriber.objects.create(email="reader@example.com").remove(by=s.by),
        Action.SUBSCRIBER_REMOVED,
    ),
    "Receiver.remove": (
        lambda s: Receiver.objects.create(url="https://hooks.example.org/").remove(by=s.by),
        Action.SUBSCRIBER_REMOVED,
    ),
    "ModelRoute.switch_off": (lambda s: s.route().switch_off(by=s.by), Action.ROUTE_SWITCHED_OFF),
    "SupportRequest.answer": (
        lambda s: s.asked().answer("So it is.", by=s.by),
        Action.SUPPORT_ANSWERED,
    ),
    "SupportRequest.close": (lambda s: s.asked().close(by=s.by), Action.SUPPORT_CLOSED),
    "SupportRequest.reopen": (lambda s: s.closed().reopen(by=s.by), Action.SUPPORT_REOPENED),
    "AnnouncementQuerySet.announce": (
        lambda s: Announcement.objects.announce(text="New models.", by=s.by),
        Action.ANNOUNCEMENT_MADE,
    ),
    "Announcement.change": (
        lambda s: s.announcement().change(text="No new models.", by=s.by),
        Action.ANNOUNCEMENT_CHANGED,
    ),
    "Announcement.withdraw": (
        lambda s: s.announcement().withdraw(by=s.by),
        Action.ANNOUNCEMENT_WITHDRAWN,
    ),
    "SwitchQuerySet.turn_off": (
        lambda s: Switch.objects.turn_off(SIGNUP, reason="r", by=s.by),
        Action.FEATURE_SWITCHED_OFF,
    ),
    "SwitchQuerySet.turn_on": (
        lambda s: s.switched_off().turn_on(SIGNUP, reason="r", by=s.by),
        Action.FEATURE_SWITCHED_ON,
    ),
    "ModelRoute.switch_on": (lambda s: s.route().switch_on(by=s.by), Action.ROUTE_SWITCHED_ON),
    "ModelRoute.set_weight": (lambda s: s.route().set_weight(3, by=s.by), Action.ROUTE_CHANGED),
    "ModelRoute.set_priority": (
        lambda s: s.route().set_priority(1, by=s.by),
        Action.ROUTE_CHANGED,
    ),
    "LanguageModel.switch_off": (
        lambda s: s.model().switch_off(by=s.by),
        Action.MODEL_SWITCHED_OFF,
    ),
    "LanguageModel.switch_on": (lambda s: s.model().switch_on(by=s.by), Action.MODEL_SWITCHED_ON),
    "Provider.drain": (lambda s: s.provider().drain(by=s.by), Action.PROVIDER_DRAINED),
    "Provider.undrain": (
        lambda s: s.provider(drained_at=NOW).undrain(by=s.by),
        Action.PROVIDER_UNDRAINED,
    ),
    "Provider.switch_off": (
        lambda s: s.provider().switch_off("It lies.", by=s.by),
        Action.PROVIDER_SWITCHED_OFF,
    ),
    "Provider.switch_on": (
        lambda s: s.provider(switched_off_at=NOW).switch_on(by=s.by),
        Action.PROVIDER_SWITCHED_ON,
    ),
    "Provider.set_credential": (
        lambda s: s.provider().set_credential("sk-12345678", by=s.by),
        Action.PROVIDER_CREDENTIAL_SET,
    ),
    "Provider.forget_credential": (
        lambda s: s.provider(sealed_credential="sealed").forget_credential(by=s.by),
        Action.PROVIDER_CREDENTIAL_FORGOTTEN,
    ),
}
