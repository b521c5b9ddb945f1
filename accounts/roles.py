"""Who may do what in an account: one table, asked by every page and every view."""

from django.db.models import TextChoices


class Role(TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    BILLING = "billing"
    VIEWER = "viewer"


class Right(TextChoices):
    """What a role may allow; the label finishes the sentence “Only … may”."""

    SEE = "see", "see this account"
    MANAGE_KEYS = "manage_keys", "create or revoke keys"
    USE_PLAYGROUND = "use_playground", "use the playground"
    MANAGE_WEBHOOKS = "manage_webhooks", "change webhooks or send them again"
    MANAGE_BILLING = "manage_billing", "see invoices or change the plan"
    READ_PAYLOADS = "read_payloads", "read what was captured of requests"
    MANAGE_MEMBERS = "manage_members", "invite, change or remove members"
    CHANGE_SETTINGS = "change_settings", "change the settings of this account"
    SEE_AUDIT = "see_audit", "read the audit log"
    OWN = "own", "transfer, export or delete this account"


EVERYBODY = frozenset(Role)
LEADERS = frozenset({Role.OWNER, Role.ADMIN})
TABLE: dict[Right, frozenset[Role]] = {
    Right.SEE: EVERYBODY,
    Right.MANAGE_KEYS: LEADERS | {Role.DEVELOPER},
    Right.USE_PLAYGROUND: LEADERS | {Role.DEVELOPER},
    Right.MANAGE_WEBHOOKS: LEADERS | {Role.DEVELOPER},
    Right.MANAGE_BILLING: LEADERS | {Role.BILLING},
    Right.READ_PAYLOADS: LEADERS | {Role.DEVELOPER},
    Right.MANAGE_MEMBERS: LEADERS,
    Right.CHANGE_SETTINGS: LEADERS,
    Right.SEE_AUDIT: LEADERS,
    Right.OWN: frozenset({Role.OWNER}),
}
SUMMARIES = {
    Role.OWNER: "Everything, and alone: transfer, export and delete the account.",
    Role.ADMIN: "Everything else: members, settings, plan, keys, webhooks, the audit log.",
    Role.DEVELOPER: "Creates and revokes keys, sets up webhooks; sees usage and logs.",
    Role.BILLING: "Pays: the plan, invoices. Sees usage and logs; changes no keys.",
    Role.VIEWER: "Sees usage, logs and keys; changes nothing.",
}


def rights_of(role: str) -> frozenset[Right]:
    return frozenset(right for right, roles in TABLE.items() if role in roles)


def grantable_by(role: str) -> list[Role]:
    """The roles that a member may give: none that allows more than their own allows.

    There is one owner; ownership is not given but transferred.

    >>> grantable_by("admin") == [Role.ADMIN, Role.DEVELOPER, Role.BILLING, Role.VIEWER]
    True
    >>> grantable_by("developer")
    []
    """
    own = rights_of(role)
    if Right.MANAGE_MEMBERS not in own:
        return []
    return [other for other in Role if other != Role.OWNER and rights_of(other) <= own]


def refusal(right: Right) -> str:
    """Why a member without ``right`` may not do it.

    >>> refusal(Right.MANAGE_MEMBERS)
    'Only an owner or admin may invite, change or remove members.'
    """
    *others, last = [role.value for role in Role if role in TABLE[right]]
    who = f"{', '.join(others)} or {last}" if others else last
    return f"Only an {who} may {right.label}."
