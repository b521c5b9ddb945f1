"""Who a key speaks for and what it may do, as PostgreSQL knows it at the moment of a look."""

import ipaddress
import time
from collections.abc import Collection
from dataclasses import dataclass

from accounts import origin
from accounts.models import APIKey
from billing import limits
from billing.unserved import unserved
from gateway.captures import Choice
from gateway.errors import APIError, NotAuthenticated, NotPermitted
from gateway.policy import Policy
from usage.partitions import SHORTEST

ABOUT_ITSELF = frozenset({"key", "limits"})  # what any valid key may ask


@dataclass(frozen=True, slots=True)
class Caller:
    """What one key may do, as PostgreSQL knew it at ``verified_at`` (monotonic seconds).

    It may do nothing at all while ``barred`` says why.
    """

    account_id: int
    api_key_id: int
    epoch: int
    scopes: frozenset[str]
    policy: Policy
    retention_class: str
    verified_at: float
    capture: Choice | None = None
    models: frozenset[str] = frozenset()  # these alone; where none is named, any
    endpoints: frozenset[str] = frozenset()
    networks: origin.Networks = ()
    hides_end_users: bool = False
    barred: APIError | None = None

    def require(self, scope: str) -> None:
        """Raise NotPermitted unless the key carries ``scope``."""
        if scope not in self.scopes:
            raise NotPermitted(f"This API key lacks the permission {scope}.")

    def require_use(self, ip: str, endpoint: str) -> None:
        """Raise NotAuthenticated, NotPermitted unless it may be used now, from there, for that."""
        if self.barred:
            raise self.barred.with_traceback(None)
        if self.networks and not origin.within(ip, self.networks):
            raise NotPermitted(
                f"This API key may not be used from the address {ip or 'of this connection'}.",
                code="ip_not_allowed",
            )
        if self.endpoints and endpoint not in self.endpoints and endpoint not in ABOUT_ITSELF:
            raise NotPermitted(
                f"This API key may not be used for {endpoint}.", code="endpoint_not_allowed"
            )

    def require_model(self, names: Collection[str]) -> None:
        """Raise NotPermitted unless the key may use the model with these names."""
        if self.models and self.models.isdisjoint(names):
            raise NotPermitted(
                "This API key may not use this model; GET /v1/models lists those it may.",
                code="model_not_allowed",
                param="model",
            )


class UnknownKey(NotAuthenticated):
    """No such key; or a ``honey`` key, of which nobody who tries it may learn that it is one."""

    def __init__(self, honey: int | None = None) -> None:
        super().__init__("This API key does not exist.")
        self.honey = honey


class KeyNotInUse(NotAuthenticated):
    outcome = "refused"


class AccountNotServed(NotPermitted):
    outcome = "refused"


NOT_IN_USE = {
    "revoked": ("key_revoked", "This API key has been revoked."),
    "rotated": ("key_rotated", "This API key was rotated: use the key that has taken its place."),
    "expired": ("key_expired", "This API key has expired."),
    "deactivated": ("key_deactivated", "This API key is deactivated."),
}


def look_up(digest: bytes) -> Caller | APIError:
    """The caller of this digest; the mere refusal where no account may hear of it."""
    api_key = (
        APIKey.objects.select_related("account__subscription__plan").filter(digest=digest).first()
    )
    if api_key is None:
        return UnknownKey()
    if api_key.honey:
        return UnknownKey(honey=None if api_key.revoked_at else api_key.pk)
    barred = refusal_of(api_key)
    if barred is None:
        return caller_of(api_key)
    # Nothing may be written for an account that is being removed: it would stay behind.
    return barred if api_key.account.closed_at else barred_caller(api_key, barred)


def caller_of(api_key: APIKey) -> Caller:
    account, subscription = api_key.account, api_key.account.subscription
    return Caller(
        account_id=account.pk,
        api_key_id=api_key.pk,
        epoch=account.epoch,
        scopes=frozenset(api_key.scopes),
        policy=Policy(
            subscription.limits,
            limits.parse(api_key.limits, limits.OF_KEYS),
            api_key.own_counters,
        ),
        retention_class=subscription.retention_class,
        verified_at=time.monotonic(),
        models=frozenset(api_key.allowed_models),
        endpoints=frozenset(api_key.allowed_endpoints),
        networks=tuple(map(ipaddress.ip_network, api_key.allowed_networks)),
        capture=Choice.of(api_key),
        hides_end_users=account.hides_end_users,
    )


def barred_caller(api_key: APIKey, barred: APIError) -> Caller:
    """Whose key it is, which is all that its row in the log needs."""
    subscription = getattr(api_key.account, "subscription", None)
    return Caller(
        account_id=api_key.account_id,
        api_key_id=api_key.pk,
        epoch=api_key.account.epoch,
        scopes=frozenset(),
        policy=Policy(()),
        retention_class=subscription.retention_class if subscription else SHORTEST,
        verified_at=time.monotonic(),
        barred=barred,
    )


def refusal_of(api_key: APIKey) -> APIError | None:
    """Why nobody may use this key; None if somebody may."""
    if code := NOT_IN_USE.get(api_key.state):
        return KeyNotInUse(code[1], code=code[0])
    if api_key.account.suspended_at:
        return AccountNotServed("This account is suspended.", code="account_suspended")
    if api_key.account.frozen_at:
        return AccountNotServed("All keys of this account are frozen.", code="account_frozen")
    subscription = getattr(api_key.account, "subscription", None)
    if subscription is None:
        return AccountNotServed("This account has no plan.", code="no_subscription")
    if reason := unserved(subscription):
        return AccountNotServed(reason.words, code=reason.code)
    return None
