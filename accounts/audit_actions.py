"""The acts that are put on record, by the names under which they are found again."""

from django.db import models


class Action(models.TextChoices):
    ACCOUNT_OPENED = "account.opened", "Account opened"
    ACCOUNT_RENAMED = "account.renamed", "Account renamed"
    ACCOUNT_SUSPENDED = "account.suspended", "Account suspended"
    ACCOUNT_REINSTATED = "account.reinstated", "Account reinstated"
    ACCOUNT_VIEWED = "account.viewed", "Looked at by an operator"
    ACCOUNT_FROZEN = "account.frozen", "All keys frozen"
    ACCOUNT_THAWED = "account.thawed", "Keys thawed"
    ACCOUNT_DELETION_SCHEDULED = "account.deletion_scheduled", "Deletion scheduled"
    ACCOUNT_DELETION_CANCELLED = "account.deletion_cancelled", "Deletion called off"
    ACCOUNT_DELETED = "account.deleted", "Account deleted"
    ACCOUNT_EXPORTED = "account.exported", "Account data exported"
    ACCOUNT_SETTINGS_CHANGED = "account.settings_changed", "Account settings changed"
    OWNERSHIP_TRANSFERRED = "ownership.transferred", "Ownership transferred"

    MEMBER_INVITED = "member.invited", "Member invited"
    INVITATION_WITHDRAWN = "invitation.withdrawn", "Invitation withdrawn"
    INVITATION_ACCEPTED = "invitation.accepted", "Invitation accepted"
    MEMBER_ROLE_CHANGED = "member.role_changed", "Role changed"
    MEMBER_REMOVED = "member.removed", "Member removed"
    MEMBER_LEFT = "member.left", "Member left"

    API_KEY_CREATED = "api_key.created", "Key created"
    API_KEY_RENAMED = "api_key.renamed", "Key renamed"
    API_KEY_CHANGED = "api_key.changed", "Key's permissions changed"
    API_KEY_LIMITED = "api_key.limited", "Key's limits changed"
    API_KEY_CAPTURE_CHANGED = "api_key.capture_changed", "Key's payload capture changed"
    API_KEY_DEACTIVATED = "api_key.deactivated", "Key deactivated"
    API_KEY_REACTIVATED = "api_key.reactivated", "Key reactivated"
    API_KEY_ROTATED = "api_key.rotated", "Key rotated"
    API_KEY_REVOKED = "api_key.revoked", "Key revoked"
    API_KEY_LEAKED = "api_key.leaked", "Key reported as leaked"
    API_KEY_HONEY_TRIED = "api_key.honey_tried", "Honey key tried"

    ENDPOINT_ADDED = "endpoint.added", "Webhook endpoint added"
    ENDPOINT_CHANGED = "endpoint.changed", "Webhook endpoint changed"
    ENDPOINT_ROTATED = "endpoint.rotated", "Webhook secret rotated"
    ENDPOINT_DISABLED = "endpoint.disabled", "Webhook endpoint disabled"
    ENDPOINT_ENABLED = "endpoint.enabled", "Webhook endpoint enabled"
    ENDPOINT_REMOVED = "endpoint.removed", "Webhook endpoint removed"
    ENDPOINT_RESENT = "endpoint.resent", "Webhooks sent again"

    USER_SIGNED_UP = "user.signed_up", "Signed up"
    USER_SIGNED_IN = "user.signed_in", "Signed in"
    USER_SIGN_IN_FAILED = "user.sign_in_failed", "Sign-in failed"
    USER_SIGNED_OUT = "user.signed_out", "Signed out"
    USER_REAUTHENTICATED = "user.reauthenticated", "Confirmed who they are"
    SESSION_ENDED = "session.ended", "Session ended"
    SESSIONS_ENDED = "sessions.ended", "Signed out everywhere"
    PASSWORD_CHANGED = "password.changed", "Password changed"
    PASSWORD_RESET = "password.reset", "Password reset"
    EMAIL_ADDED = "email.added", "E-mail address added"
    EMAIL_CHANGED = "email.changed", "E-mail address changed"
    EMAIL_VERIFIED = "email.verified", "E-mail address verified"
    EMAIL_REMOVED = "email.removed", "E-mail address removed"
    TOTP_ACTIVATED = "totp.activated", "Authenticator app added"
    TOTP_DEACTIVATED = "totp.deactivated", "Authenticator app removed"
    PASSKEY_ADDED = "passkey.added", "Passkey added"
    PASSKEY_REMOVED = "passkey.removed", "Passkey removed"
    RECOVERY_CODES_MADE = "recovery_codes.made", "Recovery codes made"
    SECOND_FACTORS_REMOVED = "second_factors.removed", "Second factors removed for them"

    OPERATOR_MADE = "operator.made", "Operator made"
    CATALOGUE_LOADED = "catalogue.loaded", "Catalogue loaded"
    ROUTE_SWITCHED_OFF = "route.switched_off", "Route switched off"
    ROUTE_SWITCHED_ON = "route.switched_on", "Route switched on"
    ROUTE_CHANGED = "route.changed", "Route's weight or priority set by hand"
    ROUTE_TESTED = "route.tested", "Route tested"
    MODEL_SWITCHED_OFF = "model.switched_off", "Model switched off"
    MODEL_SWITCHED_ON = "model.switched_on", "Model switched on"
    PROVIDER_DRAINED = "provider.drained", "Provider drained"
    PROVIDER_UNDRAINED = "provider.undrained", "Provider no longer drained"
    PROVIDER_SWITCHED_OFF = "provider.switched_off", "Provider switched off"
    PROVIDER_SWITCHED_ON = "provider.switched_on", "Provider switched on"
    PROVIDER_CREDENTIAL_SET = "provider.credential_set", "Provider's credential set"
    PROVIDER_CREDENTIAL_FORGOTTEN = "provider.credential_forgotten", "Provider's credential cleared"
    INCIDENT_OPENED = "incident.opened", "Incident published"
    INCIDENT_UPDATED = "incident.updated", "Incident updated"
    INCIDENT_RESOLVED = "incident.resolved", "Incident resolved"
    MAINTENANCE_PLANNED = "maintenance.planned", "Maintenance planned"
    MAINTENANCE_UPDATED = "maintenance.updated", "Maintenance updated"
    MAINTENANCE_BEGUN = "maintenance.begun", "Maintenance begun"
    MAINTENANCE_ENDED = "maintenance.ended", "Maintenance ended"
    ANNOUNCEMENT_MADE = "announcement.made", "Announcement made"
    ANNOUNCEMENT_CHANGED = "announcement.changed", "Announcement changed"
    ANNOUNCEMENT_WITHDRAWN = "announcement.withdrawn", "Announcement withdrawn"
    FEATURE_SWITCHED_OFF = "feature.switched_off", "Feature switched off"
    FEATURE_SWITCHED_ON = "feature.switched_on", "Feature switched on"
    SUBSCRIBER_REMOVED = "subscriber.removed", "Subscriber of the status removed"

    PLAN_CHANGED = "plan.changed", "Plan changed"
    PLAN_RENEWED = "plan.renewed", "Plan renewed"
    PLAN_EXPIRED = "plan.expired", "Plan ended"
    PLAN_GRANTED = "plan.granted", "Plan granted by an operator"
    PLAN_CHECKOUT = "plan.checkout", "Went to pay for a plan"
    PLAN_UPGRADED = "plan.upgraded", "Changed to a greater plan"
    PLAN_DOWNGRADED = "plan.downgraded", "Chose a smaller plan for the next period"
    PLAN_KEPT = "plan.kept", "Kept the plan after all"
    PLAN_CANCELED = "plan.canceled", "Cancelled the plan at the end of its period"
    PLAN_RESUMED = "plan.resumed", "Took the cancellation back"
    CREDIT_GIVEN = "credit.given", "Credit given by an operator"
    CREDIT_TAKEN_BACK = "credit.taken_back", "Credit taken back by an operator"
    TRIAL_GRANTED = "trial.granted", "Trial granted"
    TRIAL_HELD = "trial.held", "Trial held for review"
    TRIAL_REFUSED = "trial.refused", "Trial refused"
    LIMITS_OVERRIDE_ENDED = "limits.override_ended", "Override of limits ended"
    LIMITS_OVERRIDDEN = "limits.overridden", "Limits overridden"
    DRIFT_SEEN_TO = "drift.seen_to", "Difference to Stripe seen to"
    STRIPE_EVENT_REPEATED = "stripe_event.repeated", "Event of Stripe looked at again"
    RETENTION_CHANGED = "retention.changed", "Retention changed"
    LOGS_EXPORTED = "logs.exported", "Logs exported"
    USAGE_EXPORTED = "usage.exported", "Usage exported"
    AUDIT_EXPORTED = "audit.exported", "Audit log exported"
    AUDIT_FLAWED = "audit.flawed", "Audit log does not verify"
    SUPPORT_ANSWERED = "support.answered", "Request for help answered"
    SUPPORT_CLOSED = "support.closed", "Request for help closed"
    SUPPORT_REOPENED = "support.reopened", "Request for help opened again"


# What can be asked for together, and how the names of such acts begin.
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "account": ("Account", ("account.", "ownership.")),
    "people": ("Members", ("member.", "invitation.")),
    "keys": ("API keys", ("api_key.",)),
    "webhooks": ("Webhooks", ("endpoint.",)),
    "sign-in": ("Sign-in and sessions", ("user.", "session.", "sessions.")),
    "credentials": (
        "Password, e-mail, second factors",
        ("password.", "email.", "totp.", "passkey.", "recovery_codes.", "second_factors."),
    ),
    "plan": (
        "Plan, limits, money",
        ("plan.", "credit.", "trial.", "limits.", "retention.", "drift.", "stripe_event."),
    ),
    "data": ("Exports and the log itself", ("logs.", "usage.", "audit.")),
    "support": ("Requests for help", ("support.",)),
    "instance": (
        "This server",
        (
            *("operator.", "catalogue.", "provider.", "model.", "route."),
            *("incident.", "maintenance.", "subscriber.", "announcement.", "feature."),
        ),
    ),
}
