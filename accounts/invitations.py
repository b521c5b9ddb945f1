"""An invitation brings somebody into an account: a link in a mail, good once, for a week.

What makes it good is a random token that only the mail carries; we keep its digest, like that of
a key. Whoever opens the link must also have verified the invited address, so that a forwarded
mail lets nobody in. Inviting says nothing about whether an address is known here.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts import audit, mail, roles
from accounts.audit import Action, Actor
from accounts.memberships import Membership

if TYPE_CHECKING:
    from accounts.models import User

LIFE = timedelta(days=7)
PAUSE = timedelta(minutes=1)  # between two mails of one invitation
MOST_A_DAY = 50


def digest(token: str) -> bytes:
    """Of 256 random bits: there is nothing to guess, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        return self.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())

    def find(self, token: str) -> Invitation | None:
        """The invitation that this token opens; None if it never did or does no more."""
        return (
            self.open().select_related("account", "invited_by").filter(digest=digest(token)).first()
        )

    @transaction.atomic
    def invite(self, email: str, role: str, *, inviter: Membership, by: Actor) -> Invitation:
        """Invite an address into the inviter's account, by mail.

        Raises PermissionDenied for a role that the inviter may not give, and ValidationError for
        a member, for an address that is invited already, and beyond ``MOST_A_DAY``.
        """
        email, account = email.lower(), inviter.account
        type(account).objects.select_for_update().get(pk=account.pk)
        inviter.refresh_from_db(fields=["role"])
        if role not in inviter.grantable:
            raise PermissionDenied("You cannot give a role that allows more than yours.")
        if account.memberships.filter(user__email=email).exists():
            raise ValidationError(f"{email} is a member already.")
        earlier = account.invitations.filter(email=email, accepted_at=None, withdrawn_at=None)
        if earlier.open().exists():
            raise ValidationError(f"{email} is invited already. Send that invitation again.")
        today = account.invitations.filter(created_at__gt=timezone.now() - timedelta(days=1))
        if today.count() >= MOST_A_DAY:
            raise ValidationError(f"An account sends at most {MOST_A_DAY} invitations a day.")
        earlier.update(withdrawn_at=timezone.now())
        invitation = Invitation(
            account=account, email=email, role=role, invited_by_id=inviter.user_id
        )
        invitation._send()
        audit.record(account, Action.MEMBER_INVITED, by=by, about=email, role=str(role))
        return invitation


class Invitation(models.Model):
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="invitations"
    )
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=roles.Role)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="invitation_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role} of {self.account}"

    @property
    def expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @transaction.atomic
    def resend(self, *, by: Actor) -> bool:
        """Send a new link; the earlier one is void. False if one was sent a moment ago."""
        if not self._lock() or timezone.now() - self.sent_at < PAUSE:
            return False
        self._send()
        audit.record(self.account, Action.MEMBER_INVITED, by=by, about=self.email, again=True)
        return True

    @transaction.atomic
    def withdraw(self, *, by: Actor) -> None:
        """Make the link void. Withdrawing twice changes nothing."""
        if self._lock():
            self.withdrawn_at = timezone.now()
            self.save(update_fields=["withdrawn_at"])
            audit.record(self.account, Action.INVITATION_WITHDRAWN, by=by, about=self.email)

    @transaction.atomic
    def accept(self, user: User, *, by: Actor) -> Membership:
        """Let ``user`` in, once. Who is a member already stays what they are.

        Raises PermissionDenied unless the invited address is one that they have verified.
        """
        mine = EmailAddress.objects.filter(user=user, email__iexact=self.email, verified=True)
        if not mine.exists():
            raise PermissionDenied("This invitation was sent to another address than yours.")
        if not self._lock() or self.expired:
            raise PermissionDenied("This invitation is not good any more.")
        self.accepted_at = timezone.now()
        self.save(update_fields=["accepted_at"])
        membership, _ = self.account.memberships.get_or_create(
            user=user, defaults={"role": self.role}
        )
        about, role = self.email, membership.role
        audit.record(self.account, Action.INVITATION_ACCEPTED, by=by, about=about, role=role)
        return membership

    def _lock(self) -> bool:
        """Whether nobody has accepted or withdrawn it; nobody will until we commit."""
        Invitation.objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db()
        return self.accepted_at is None and self.withdrawn_at is None

    def _send(self) -> None:
        token, self.sent_at = secrets.token_urlsafe(32), timezone.now()
        self.digest, self.expires_at = digest(token), self.sent_at + LIFE
        self.save()
        link = settings.PUBLIC_URL + reverse("accounts:invitation", kwargs={"token": token})
        mail.send_on_commit("invitation", self.email, invitation=self, link=link)
