"""Keys speak for an account: what they may do, from where, since when, until when."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Unpack

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit, key_events, key_rules, keys, notices
from accounts.audit import Action, Actor
from accounts.key_rules import ENVIRONMENTS, Capture, Endpoint, LeakPolicy, Reason, Settings
from accounts.scopes import Scope

if TYPE_CHECKING:
    from accounts.models import Account

EXPIRES_SOON = timedelta(days=7)


class APIKeyQuerySet(models.QuerySet["APIKey"]):
    def usable(self) -> APIKeyQuerySet:
        return self.filter(revoked_at=None, deactivated_at=None, honey=False).filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        )

    def find(self, plaintext: str) -> APIKey | None:
        """The key that this is, if it is one."""
        return self.filter(digest=keys.digest(plaintext)).first()

    @transaction.atomic
    def issue(
        self, account: Account, *, by: Actor, honey: bool = False, **chosen: Unpack[Settings]
    ) -> tuple[APIKey, str]:
        """Create a key. The plaintext is returned here, once, and stored nowhere."""
        api_key, plaintext = make(account, by, honey=honey, **chosen)
        told = key_rules.on_record(chosen) | {"honey": honey}
        audit.record(account, Action.API_KEY_CREATED, by=by, about=str(api_key), **told)
        return api_key, plaintext

    @transaction.atomic
    def open_playground(self, account: Account, *, by: Actor) -> APIKey:
        """The key as which the playground calls; opening it twice gives the same one.

        It has no plaintext: its digest is random, so nothing that could be sent leads to it.
        """
        scopes = [Scope.CHAT_WRITE.value]
        without_plaintext = {"hint": "no plaintext", "digest": secrets.token_bytes(32)}
        api_key, is_new = self.get_or_create(
            account=account,
            playground=True,
            revoked_at=None,
            defaults={"name": "Playground", "scopes": scopes, **without_plaintext},
        )
        if is_new:
            audit.record(account, Action.API_KEY_CREATED, by=by, about=str(api_key), scopes=scopes)
        return api_key


class APIKey(models.Model):
    """A credential. An empty list of what is allowed allows everything.

    A ``honey`` key can do nothing and is known to nobody: whoever tries it has stolen it.
    """

    Capture = Capture

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="api_keys"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    name = models.CharField(max_length=100)
    environment = models.CharField(max_length=30, default=ENVIRONMENTS[0])
    hint = models.CharField(max_length=32)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    honey = models.BooleanField(default=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope))
    allowed_models = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    allowed_endpoints = ArrayField(
        models.CharField(max_length=40, choices=Endpoint), default=list, blank=True
    )
    allowed_networks = ArrayField(models.CharField(max_length=49), default=list, blank=True)
    limits = models.JSONField(default=dict, blank=True, editable=False)  # billing.models.limit_key
    limited_at = models.DateTimeField(null=True, blank=True, editable=False)
    playground = models.BooleanField(default=False, editable=False)
    capture = models.CharField(max_length=10, choices=Capture, default=Capture.OFF)
    capture_one_in = models.PositiveIntegerField(default=100)  # calls, of a sample
    capture_redacts = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.CharField(max_length=45, blank=True)
    last_used_model = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    end_told_at = models.DateTimeField(null=True, editable=False)  # of one that expired
    deactivated_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoke_reason = models.CharField(max_length=20, choices=Reason, blank=True)
    successor = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="predecessors"
    )
    rotated_at = models.DateTimeField(null=True, blank=True)
    leaked_at = models.DateTimeField(null=True, blank=True)
    leaked_where = models.CharField(max_length=300, blank=True)
    objects = APIKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(playground=True, revoked_at=None),
                name="playground_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def state(self) -> str:
        """Only an ``active`` key is accepted; ``honey`` is what everybody else is refused with."""
        if self.revoked_at:
            return "revoked"
        if self.honey:
            return "honey"
        if self.expires_at and self.expires_at <= timezone.now():
            return "rotated" if self.rotated_at else "expired"
        return "deactivated" if self.deactivated_at else "active"

    @property
    def retires(self) -> bool:
        """Whether another key has taken its place and this one still works for a while."""
        return bool(self.rotated_at) and self.state == "active"

    @property
    def expires_soon(self) -> bool:
        ends_at = self.expires_at if self.state == "active" else None
        return bool(ends_at and ends_at <= timezone.now() + EXPIRES_SOON)

    @property
    def own_counters(self) -> str:
        """What is counted for this key alone, by its name in Redis; empty if nothing is.

        A new name whenever a key is limited anew: what was counted before knows nothing of the
        time between.
        """
        if self.limited_at is None:
            return ""
        return f"k{self.pk}.{self.limited_at.timestamp() * 1000:.0f}"

    @property
    def scope_labels(self) -> list[str]:
        return [Scope(scope).label for scope in self.scopes]

    @transaction.atomic
    def change(self, *, by: Actor, **chosen: Unpack[Settings]) -> None:
        """Call it something else, or let it do other things, at once in every process."""
        changed: dict[str, Any] = {
            name: value for name, value in chosen.items() if getattr(self, name) != value
        }
        if not changed:
            return
        was: dict[str, audit.Detail] = {"was": self.name} if "name" in changed else {}
        for name, value in changed.items():
            setattr(self, name, value)
        self.save(update_fields=list(changed))
        only_words = changed.keys() <= key_rules.ONLY_WORDS
        action = Action.API_KEY_RENAMED if only_words else Action.API_KEY_CHANGED
        self._changed(action, by, **was, **key_rules.on_record(changed))

    @transaction.atomic
    def limit(self, amounts: dict[str, int], *, by: Actor) -> None:
        """Let lower limits hold for this key too, at once; an empty mapping lifts them.

        Takes only what ``billing.limits.parse`` takes: ``billing.models.limit_key`` sees to that.
        """
        if amounts != self.limits:
            self.limited_at = (self.limited_at or timezone.now()) if amounts else None
            self.limits = amounts
            self.save(update_fields=["limits", "limited_at"])
            self._changed(Action.API_KEY_LIMITED, by, **amounts)

    @transaction.atomic
    def capture_calls(
        self, which: str, *, by: Actor, one_in: int = 100, redact: Sequence[str] = ()
    ) -> None:
        """Keep what is asked with this key and answered, or no longer; in every process at once.

        Members of JSON documents that are called as in ``redact`` are left out, beside the usual.
        """
        self.capture, self.capture_one_in, self.capture_redacts = which, one_in, list(redact)
        self.save(update_fields=["capture", "capture_one_in", "capture_redacts"])
        self._changed(Action.API_KEY_CAPTURE_CHANGED, by, kept=which)

    @transaction.atomic
    def deactivate(self, *, by: Actor) -> None:
        """Refuse this key until it is reactivated."""
        if self._mark(deactivated_at=timezone.now(), where=Q(deactivated_at=None)):
            self._changed(Action.API_KEY_DEACTIVATED, by)

    @transaction.atomic
    def reactivate(self, *, by: Actor) -> None:
        if self._mark(deactivated_at=None, where=Q(deactivated_at__isnull=False)):
            self._changed(Action.API_KEY_REACTIVATED, by)

    @transaction.atomic
    def revoke(self, *, by: Actor, reason: Reason = Reason.USER) -> bool:
        """Stop accepting this key, for ever and at once. False if it was revoked before.

        Where the reason is one of ``CUTTING``, what runs with it just now is cut off too.
        """
        just_revoked = self._mark(revoked_at=timezone.now(), revoke_reason=reason)
        if just_revoked:
            self._changed(Action.API_KEY_REVOKED, by, reason=reason)
            key_events.revoked(self, reason)
        return just_revoked

    @transaction.atomic
    def rotate(self, *, by: Actor, until: datetime) -> tuple[APIKey, str]:
        """A new key that may do the same. This one goes on working ``until`` then.

        A key that would expire anyway does not live longer, and its successor gets as much time
        as it had. Raises ValueError for a key that is not in use or has a successor, and for that
        of the playground.
        """
        old = APIKey.objects.select_for_update().get(pk=self.pk)
        if old.state != "active" or old.rotated_at or old.playground:
            raise ValueError("only a key in use can be rotated, and only once")
        now = timezone.now()
        chosen: dict[str, Any] = {name: getattr(old, name) for name in Settings.__annotations__}
        if old.expires_at:
            chosen["expires_at"] = now + (old.expires_at - old.created_at)
        limited = {"limits": old.limits, "limited_at": now if old.limits else None}
        successor, plaintext = make(old.account, by, **chosen, **limited)
        ends_at = min(until, old.expires_at or until)
        self._mark(successor=successor, rotated_at=now, expires_at=ends_at)
        self._changed(
            Action.API_KEY_ROTATED, by, successor=successor.hint, until=ends_at.isoformat()
        )
        return successor, plaintext

    @transaction.atomic
    def report_leaked(self, where: str, *, by: Actor, only_tell: bool = False) -> None:
        """Somebody has seen this key where it should not be: on record, and the account is told.

        It is revoked at once, unless the account wants to be told only. Reporting again changes
        nothing. A honey key lies where it should be found, and stays.
        """
        where = keys.without_keys(where)[:300]
        news = self._mark(leaked_at=timezone.now(), leaked_where=where, where=Q(leaked_at=None))
        if news:
            self._changed(Action.API_KEY_LEAKED, by, where=where)
        policy = LeakPolicy.TELL if only_tell or self.honey else self.account.leak_policy
        revoked = policy == LeakPolicy.REVOKE and self.revoke(by=by, reason=Reason.LEAK)
        if news or revoked:
            notices.tell(self.account, "leaked", api_key=self, where=where)

    @transaction.atomic
    def alarm(self, ip: str) -> None:
        """Somebody has tried this honey key. On record and told once an hour."""
        now = timezone.now()
        APIKey.objects.filter(pk=self.pk).update(last_used_at=now, last_used_ip=ip[:45])
        once = f"honey {self.pk} {now:%Y-%m-%dT%H}"
        if notices.tell(self.account, "honey", once=once, api_key=self, ip=ip):
            by = Actor("somebody", None, ip)
            audit.record(self.account, Action.API_KEY_HONEY_TRIED, by=by, about=str(self))

    def _mark(self, *, where: Q | None = None, **fields: Any) -> bool:
        """Set fields of a key that is not revoked, as far as ``where`` still holds."""
        rows = APIKey.objects.filter(where or Q(), pk=self.pk, revoked_at=None)
        marked = bool(rows.update(**fields))
        self.refresh_from_db(fields=list(fields))
        return marked

    def _changed(self, action: Action, by: Actor, **details: audit.Detail) -> None:
        """What this key may do is another thing now: on record, and known to every process."""
        self.account.raise_epoch()
        audit.record(self.account, action, by=by, about=str(self), **details)


def make(account: Account, by: Actor, **fields: Any) -> tuple[APIKey, str]:
    """A key and its plaintext; whoever asks for it puts it on record."""
    plaintext = keys.generate()
    api_key = APIKey.objects.create(
        account=account,
        created_by_id=by.user_id,
        hint=keys.hint(plaintext),
        digest=keys.digest(plaintext),
        **fields,
    )
    key_events.created(api_key)
    return api_key, plaintext
