"""Who: people log in as users; accounts own everything; keys speak for an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import audit, epochs, key_events, mail, notices
from accounts.api_keys import APIKey
from accounts.audit import Action, Actor, AuditChain, AuditEntry
from accounts.invitations import Invitation
from accounts.key_rules import LeakPolicy, Reason
from accounts.memberships import Membership
from accounts.notices import Notice

__all__ = [
    "APIKey",
    "Account",
    "AuditChain",
    "AuditEntry",
    "Invitation",
    "Membership",
    "Notice",
    "User",
]

COUNTDOWN = timedelta(days=settings.ACCOUNT_DELETION_DAYS)


class UserByEmailManager(UserManager["User"]):
    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    @transaction.atomic
    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **extra)
        audit.record(None, Action.OPERATOR_MADE, by=audit.CONSOLE, about=user.email)
        return user


class User(AbstractUser):
    """Logs in with an e-mail address, which is stored in lower case."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    sessions_ended = models.PositiveIntegerField(default=0)  # how often; see accounts/sessions.py
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    USERNAME_FIELD = "email"
    objects = UserByEmailManager()  # type: ignore[misc]

    @transaction.atomic
    def end(self, *, by: Actor) -> None:
        """Leave every account and be gone. Raises PermissionDenied for who owns one."""
        for membership in self.memberships.select_related("account"):
            membership.leave(by=by)
        self.delete()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to be this user's; another one when all are to end."""
        said = f"{self.password} {self.sessions_ended}"
        salt = "accounts.User.sessions"
        return salted_hmac(salt, said, secret=secret, algorithm="sha256").hexdigest()


class AccountQuerySet(models.QuerySet["Account"]):
    @transaction.atomic
    def open_for(self, user: User) -> Account:
        """A new account owned by ``user``."""
        account = self.create(name=user.email.partition("@")[0])
        Membership.objects.create(user=user, account=account, role=Membership.Role.OWNER)
        by = Actor(user.email, user.pk)
        audit.record(account, Action.ACCOUNT_OPENED, by=by, about=account.name)
        return account


class Account(models.Model):
    """Owns keys, subscription, usage and logs. ``epoch`` rises with whatever a caller may do."""

    name = models.CharField(max_length=100)
    epoch = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    suspended_at = models.DateTimeField(null=True, blank=True)
    payload_days = models.PositiveSmallIntegerField(default=3)  # that what is captured is kept
    deletion_due_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    hides_end_users = models.BooleanField(default=False)  # see accounts/end_users.py
    leak_policy = models.CharField(max_length=10, choices=LeakPolicy, default=LeakPolicy.REVOKE)
    members = models.ManyToManyField(User, through="Membership", related_name="accounts")
    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def raise_epoch(self) -> None:
        """Make every process forget what it knows of this account, as soon as we commit."""
        Account.objects.filter(pk=self.pk).update(epoch=F("epoch") + 1)
        self.refresh_from_db(fields=["epoch"])
        pk, epoch = self.pk, self.epoch
        transaction.on_commit(lambda: epochs.publish(pk, epoch))

    @transaction.atomic
    def rename(self, name: str, *, by: Actor) -> None:
        if name != self.name:
            before, self.name = self.name, name
            self.save(update_fields=["name"])
            audit.record(self, Action.ACCOUNT_RENAMED, by=by, about=name, before=before)

    @transaction.atomic
    def schedule_deletion(self, *, by: Actor) -> None:
        """Delete this account after ``COUNTDOWN``; until then it can be called off.

        Scheduling it twice does not move the day.
        """
        due = timezone.now() + COUNTDOWN
        if Account.objects.filter(pk=self.pk, deletion_due_at=None).update(deletion_due_at=due):
            self.deletion_due_at = due
            audit.record(self, Action.ACCOUNT_DELETION_SCHEDULED, by=by, about=self.name)
            self._tell_everybody("deletion_scheduled")

    @transaction.atomic
    def call_off_deletion(self, *, by: Actor) -> None:
        scheduled = Account.objects.filter(pk=self.pk, closed_at=None)
        if scheduled.exclude(deletion_due_at=None).update(deletion_due_at=None):
            self.deletion_due_at = None
            audit.record(self, Action.ACCOUNT_DELETION_CANCELLED, by=by, about=self.name)
            self._tell_everybody("deletion_called_off")

    @transaction.atomic
    def close(self) -> bool:
        """End everything that speaks for this account, once its countdown is over.

        Its keys are refused from now on and nobody belongs to it; what it used is still there.
        False if it is not due, or closed already.
        """
        due = Account.objects.filter(
            pk=self.pk, closed_at=None, deletion_due_at__lte=timezone.now()
        )
        if not due.update(closed_at=timezone.now()):
            return False
        self.refresh_from_db()
        for api_key in self.api_keys.filter(revoked_at=None):
            key_events.revoked(api_key, Reason.USER)
        self.api_keys.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.invitations.all().delete()
        self._tell_everybody("deleted")
        self.memberships.all().delete()
        self.raise_epoch()
        audit.record(None, Action.ACCOUNT_DELETED, by=audit.SYSTEM, about=f"account {self.pk}")
        return True

    def _tell_everybody(self, letter: str) -> None:
        for email in self.members.values_list("email", flat=True):
            mail.send_on_commit(letter, email, account=self)

    @transaction.atomic
    def suspend(self, reason: str = "", *, by: Actor) -> None:
        """Refuse every key of this account until it is reinstated; its people are told why."""
        if Account.objects.filter(pk=self.pk, suspended_at=None).update(
            suspended_at=timezone.now()
        ):
            self.refresh_from_db(fields=["suspended_at"])
            self.raise_epoch()
            notices.tell(self, "suspended", reason=reason)
            why = {"reason": reason} if reason else {}
            audit.record(self, Action.ACCOUNT_SUSPENDED, by=by, **why)

    @transaction.atomic
    def keep_payloads_for(self, days: int, *, by: Actor) -> None:
        """How long what is captured from now on is kept."""
        if days != self.payload_days:
            self.payload_days = days
            self.save(update_fields=["payload_days"])
            audit.record(self, Action.ACCOUNT_SETTINGS_CHANGED, by=by, payload_days=days)
            self.raise_epoch()

    @transaction.atomic
    def hide_end_users(self, hide: bool, *, by: Actor) -> None:
        """Whether names of end users are kept as digests, from now on."""
        if hide != self.hides_end_users:
            self.hides_end_users = hide
            self.save(update_fields=["hides_end_users"])
            audit.record(self, Action.ACCOUNT_SETTINGS_CHANGED, by=by, hides_end_users=hide)
            self.raise_epoch()

    @transaction.atomic
    def reinstate(self, *, by: Actor) -> None:
        """Serve it again, as before."""
        suspended = Account.objects.filter(pk=self.pk, suspended_at__isnull=False)
        if suspended.update(suspended_at=None):
            self.refresh_from_db(fields=["suspended_at"])
            self.raise_epoch()
            notices.tell(self, "reinstated")
            audit.record(self, Action.ACCOUNT_REINSTATED, by=by)

    @transaction.atomic
    def freeze(self, *, by: Actor) -> None:
        """Refuse every key of this account, at once, until it is thawed. Nothing else changes."""
        if Account.objects.filter(pk=self.pk, frozen_at=None).update(frozen_at=timezone.now()):
            self._froze(Action.ACCOUNT_FROZEN, "frozen", by)

    @transaction.atomic
    def thaw(self, *, by: Actor) -> None:
        """Every key is again what it was before."""
        if Account.objects.filter(pk=self.pk, frozen_at__isnull=False).update(frozen_at=None):
            self._froze(Action.ACCOUNT_THAWED, "thawed", by)

    def _froze(self, action: Action, notice: str, by: Actor) -> None:
        self.refresh_from_db(fields=["frozen_at"])
        self.raise_epoch()
        audit.record(self, action, by=by)
        notices.tell(self, notice, by=by.name)

    @transaction.atomic
    def choose_leak_policy(self, policy: str, *, by: Actor) -> None:
        """What happens to a key that is reported as leaked."""
        if policy != self.leak_policy:
            self.leak_policy = LeakPolicy(policy)
            self.save(update_fields=["leak_policy"])
            audit.record(self, Action.ACCOUNT_SETTINGS_CHANGED, by=by, leak_policy=policy)
