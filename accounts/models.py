"""Who: people log in as users; accounts own everything; keys speak for an account."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import epochs, keys
from accounts.scopes import Scope


class UserByEmailManager(UserManager["User"]):
    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractUser):
    """Logs in with an e-mail address, which is stored in lower case."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    USERNAME_FIELD = "email"
    objects = UserByEmailManager()  # type: ignore[misc]


class AccountQuerySet(models.QuerySet["Account"]):
    @transaction.atomic
    def open_for(self, user: User) -> Account:
        """A new account owned by ``user``."""
        account = self.create(name=user.email.partition("@")[0])
        Membership.objects.create(user=user, account=account, role=Membership.Role.OWNER)
        return account


class Account(models.Model):
    """Owns keys, subscription, usage and logs. ``epoch`` rises with whatever a caller may do."""

    name = models.CharField(max_length=100)
    epoch = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    suspended_at = models.DateTimeField(null=True, blank=True)
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
    def suspend(self) -> None:
        """Refuse every key of this account until it is reinstated."""
        self.suspended_at = timezone.now()
        self.save(update_fields=["suspended_at"])
        self.raise_epoch()

    @transaction.atomic
    def reinstate(self) -> None:
        self.suspended_at = None
        self.save(update_fields=["suspended_at"])
        self.raise_epoch()


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        DEVELOPER = "developer"
        BILLING = "billing"
        VIEWER = "viewer"

    KEEPERS_OF_KEYS = frozenset({Role.OWNER, Role.ADMIN, Role.DEVELOPER})

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.account}"

    @property
    def may_manage_keys(self) -> bool:
        return self.role in self.KEEPERS_OF_KEYS


class APIKeyQuerySet(models.QuerySet["APIKey"]):
    def usable(self) -> APIKeyQuerySet:
        return self.filter(revoked_at=None).filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        )

    @transaction.atomic
    def issue(
        self, account: Account, *, name: str, scopes: list[str], user: User | None = None
    ) -> tuple[APIKey, str]:
        """Create a key. The plaintext is returned here, once, and stored nowhere."""
        plaintext = keys.generate()
        api_key = self.create(
            account=account,
            created_by=user,
            name=name,
            scopes=scopes,
            hint=keys.hint(plaintext),
            digest=keys.digest(plaintext),
        )
        return api_key, plaintext


class APIKey(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=32)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope))
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    objects = APIKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def state(self) -> str:
        """``active``, ``expired`` or ``revoked``; only an active key is accepted."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "active"

    @property
    def scope_labels(self) -> list[str]:
        return [Scope(scope).label for scope in self.scopes]

    @transaction.atomic
    def revoke(self) -> None:
        """Stop accepting this key, for ever and at once. Revoking twice changes nothing."""
        just_revoked = APIKey.objects.filter(pk=self.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        if just_revoked:
            self.refresh_from_db()
            self.account.raise_epoch()
