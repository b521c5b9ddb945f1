"""Who serves models: whether we ask them, and as whom we do."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Action, Actor
from gateway import sealing
from gateway.catalog_version import CatalogVersion

LONGEST_CREDENTIAL = 2000  # characters
LONGEST_REASON = 300
HINTED = 12  # characters, from which on the last four give little away


class Provider(models.Model):
    """Somebody who serves models. A ``base_url`` that begins with / is on this very server.

    What an operator turns by hand no catalogue file turns back. The credential can be set and
    forgotten, and is never shown; without one the variable ``credential_env`` has it.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=50)
    base_url = models.CharField(max_length=200)
    credential_env = models.CharField(max_length=100, blank=True)
    deadlines = models.JSONField(default=dict, blank=True)  # gateway.dialects.Deadlines
    rules = models.JSONField(default=list, blank=True)  # gateway.dialects.Rule
    drained_at = models.DateTimeField(null=True, blank=True)
    switched_off_at = models.DateTimeField(null=True, blank=True)
    switched_off_because = models.CharField(max_length=LONGEST_REASON, blank=True)
    sealed_credential = models.TextField(blank=True)
    credential_hint = models.CharField(max_length=4, blank=True)
    credential_set_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_here(self) -> bool:
        return self.base_url.startswith("/")

    @property
    def credential(self) -> str | None:
        """The one that was set by hand, opened; None if there is none, or we have another key."""
        return sealing.unseal(self.sealed_credential, self.pk) if self.sealed_credential else None

    def drain(self, *, by: Actor) -> None:
        """Begin no call with it, from half a second from now on; those that run come to an end."""
        self._turn("drained_at", timezone.now(), Action.PROVIDER_DRAINED, by)

    def undrain(self, *, by: Actor) -> None:
        self._turn("drained_at", None, Action.PROVIDER_UNDRAINED, by)

    def switch_off(self, reason: str = "", *, by: Actor) -> None:
        """The same, and cut off what runs; whoever has had nothing yet is served by others."""
        now, because = timezone.now(), reason[:LONGEST_REASON]
        self._turn("switched_off_at", now, Action.PROVIDER_SWITCHED_OFF, by, because)

    def switch_on(self, *, by: Actor) -> None:
        self._turn("switched_off_at", None, Action.PROVIDER_SWITCHED_ON, by, "")

    @transaction.atomic
    def set_credential(self, plaintext: str, *, by: Actor) -> None:
        """Show this to the provider from half a second from now on. Raises ValidationError."""
        if self.is_here:
            raise ValidationError("This server asks itself, which needs no credential.")
        credential = checked_credential(plaintext)
        self.sealed_credential = sealing.seal(credential, self.pk)
        self.credential_hint = credential[-4:] if len(credential) >= HINTED else ""
        self._save_credential(timezone.now(), Action.PROVIDER_CREDENTIAL_SET, by)

    @transaction.atomic
    def forget_credential(self, *, by: Actor) -> None:
        """Go back to the variable. Without a credential that was set nothing happens."""
        held = Provider.objects.select_for_update().get(pk=self.pk)
        if held.sealed_credential:
            self.sealed_credential = self.credential_hint = ""
            self._save_credential(None, Action.PROVIDER_CREDENTIAL_FORGOTTEN, by)

    def _save_credential(self, set_at: datetime | None, action: Action, by: Actor) -> None:
        self.credential_set_at = set_at
        self.save(update_fields=["sealed_credential", "credential_hint", "credential_set_at"])
        CatalogVersion.rise()
        audit.record(None, action, by=by, about=self.slug)

    @transaction.atomic
    def _turn(
        self, name: str, at: datetime | None, action: Action, by: Actor, because: str | None = None
    ) -> None:
        """Set the moment ``name``, or clear it; where it was so before, nothing happens."""
        changes = {name: at} | ({} if because is None else {"switched_off_because": because})
        other_way = Provider.objects.filter(pk=self.pk, **{f"{name}__isnull": at is not None})
        if other_way.update(**changes):
            CatalogVersion.rise()
            details = {"reason": because} if because else {}
            audit.record(None, action, by=by, about=self.slug, **details)
        self.refresh_from_db(fields=list(changes))


def checked_credential(plaintext: str) -> str:
    """What was pasted, without blanks around it. Raises ValidationError for what is no credential.

    >>> checked_credential(" sk-1234 ")
    'sk-1234'
    """
    credential = plaintext.strip()
    if not credential:
        raise ValidationError("Paste the credential.")
    if credential.lower().startswith("bearer "):
        raise ValidationError("Leave out the word Bearer; it is added when it is sent.")
    if len(credential) > LONGEST_CREDENTIAL:
        raise ValidationError(f"A credential has at most {LONGEST_CREDENTIAL:,} characters.")
    if not all("!" <= sign <= "~" for sign in credential):
        raise ValidationError(
            "A credential is letters, digits and signs of ASCII, without blanks and line breaks."
        )
    return credential
