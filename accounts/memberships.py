"""Who belongs to an account, as what, and how that changes.

An account has one owner, always: ownership is handed over in one transaction, the owner can
neither leave nor be removed, and the database refuses a second one. Nobody gives a role that
allows more than their own, or changes a member who may do more than they may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit, roles
from accounts.audit import Action, Actor
from accounts.roles import Right

if TYPE_CHECKING:
    from accounts.models import Account


class Membership(models.Model):
    """``visiting_because`` is set where an operator only looks (``accounts/viewing.py``)."""

    Role = roles.Role
    visiting_because = ""
    withheld: frozenset[Right] = frozenset()

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=roles.Role)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="membership_once"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(role="owner"), name="membership_one_owner"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.account}"

    @property
    def rights(self) -> frozenset[Right]:
        return roles.rights_of(self.role) - self.withheld

    def may(self, right: Right) -> bool:
        return right in self.rights

    @property
    def may_manage_keys(self) -> bool:
        return self.may(Right.MANAGE_KEYS)

    @property
    def may_use_playground(self) -> bool:
        return self.may(Right.USE_PLAYGROUND)

    @property
    def may_read_payloads(self) -> bool:
        """Whether they may see what was captured of requests and answers."""
        return self.may(Right.READ_PAYLOADS)

    @property
    def is_owner(self) -> bool:
        return self.role == roles.Role.OWNER

    @property
    def grantable(self) -> list[roles.Role]:
        return roles.grantable_by(self.role)

    def may_change(self, other: Membership) -> bool:
        """Whether this member may give ``other`` another role, or remove them."""
        return other.account_id == self.account_id and other.role in self.grantable

    @transaction.atomic
    def change_role(self, role: str, *, giver: Membership, by: Actor) -> None:
        """Make this member a ``role``. Raises PermissionDenied where ``giver`` may not."""
        giver = self._locked_beside(giver)
        if not giver.may_change(self) or role not in giver.grantable:
            raise PermissionDenied("You cannot give a role that allows more than yours.")
        if role == self.role:
            return
        before, self.role = self.role, role
        self.save(update_fields=["role"])
        self._withdraw_what_they_offered()
        self._on_record(Action.MEMBER_ROLE_CHANGED, by, before=before, now=str(role))

    @transaction.atomic
    def remove(self, *, remover: Membership, by: Actor) -> None:
        """End this membership. The keys they made belong to the account, and stay."""
        remover = self._locked_beside(remover)
        if not remover.may_change(self):
            raise PermissionDenied("You cannot remove a member who may do more than you.")
        self._end(Action.MEMBER_REMOVED, by)

    @transaction.atomic
    def leave(self, *, by: Actor) -> None:
        """End one's own membership. Raises PermissionDenied for the owner."""
        self._locked_beside(self)
        if self.is_owner:
            raise PermissionDenied("An account is never without an owner: transfer it first.")
        self._end(Action.MEMBER_LEFT, by)

    @transaction.atomic
    def hand_over(self, heir: Membership, *, by: Actor) -> None:
        """Make ``heir`` the owner of the account, and this owner an admin."""
        heir = self._locked_beside(heir)
        if not self.is_owner or heir.pk == self.pk:
            raise PermissionDenied("Only the owner can transfer an account, to another member.")
        self.role, heir.role = roles.Role.ADMIN, roles.Role.OWNER
        self.save(update_fields=["role"])
        heir.save(update_fields=["role"])
        heir._on_record(Action.OWNERSHIP_TRANSFERRED, by, before=self.user.email)

    def _locked_beside(self, other: Membership) -> Membership:
        """Nobody else changes the members of this account until we commit; ``other``, as it is now.

        Who asks may have lost their role since they were looked up.
        """
        members = Membership.objects.select_for_update().filter(account=self.account_id)
        now = {member.pk: member for member in members.order_by("pk")}
        if self.pk not in now or other.pk not in now:
            raise PermissionDenied("That person does not belong to this account any more.")
        self.role = now[self.pk].role
        return now[other.pk] if other.pk != self.pk else self

    def _end(self, action: Action, by: Actor) -> None:
        self._withdraw_what_they_offered(ended=True)
        self._on_record(action, by, role=self.role)
        self.delete()

    def _withdraw_what_they_offered(self, *, ended: bool = False) -> None:
        """An invitation offers no more than whoever wrote it may still give."""
        offered = self.account.invitations.open().filter(invited_by=self.user_id)
        if not ended:
            offered = offered.exclude(role__in=self.grantable)
        offered.update(withdrawn_at=timezone.now())

    def _on_record(self, action: Action, by: Actor, **details: audit.Detail) -> None:
        account: Account = self.account
        audit.record(account, action, by=by, about=self.user.email, **details)
