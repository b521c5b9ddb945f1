"""What operators tell on top of pages: to members, or to everybody; each can put it away for good.

No page asks the database for it: what is to be told is posted when operators say something, and
again every minute; who has put what away is cached.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from redis import RedisError

from accounts.audit import Action, Actor, record
from accounts.models import User
from accounts.posted import Posted

TOLD: Posted[list[dict[str, Any]]] = Posted("announcements", [])
PUT_AWAY, KEPT = "announcements:put-away:{}", 300  # seconds
is_web_address = URLValidator(schemes=["https"])
WITHDRAWN = "It was withdrawn. Make a new one instead."
ODD_LINK = "Write an address here, such as /docs, or one that begins with https://."


class Told(TypedDict, total=False):
    """What is said, to whom, and from when until when; without an end until it is withdrawn."""

    text: str
    link: str
    link_words: str
    tone: str
    audience: str
    starts_at: datetime | None
    ends_at: datetime | None


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def standing(self) -> AnnouncementQuerySet:
        """Told now or later."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()), withdrawn_at=None)

    @transaction.atomic
    def announce(self, *, by: Actor, **told: Unpack[Told]) -> Announcement:
        """Tell it, everywhere within seconds of ``renew``. Raises ValidationError, by field."""
        announcement = Announcement(created_by=by.name)
        announcement._say(told)
        announcement._on_record(Action.ANNOUNCEMENT_MADE, by)
        return announcement


class Announcement(models.Model):
    """One thing that is told on top of pages while it is time, unless it is withdrawn."""

    class Tone(models.TextChoices):
        INFO = "info", "For information"
        WARN = "warn", "A warning"

    class Audience(models.TextChoices):
        MEMBERS = "members", "Members"
        EVERYBODY = "everybody", "Everybody"

    text = models.CharField(max_length=300)
    link = models.CharField(max_length=300, blank=True)
    link_words = models.CharField(max_length=60, blank=True)
    tone = models.CharField(max_length=10, choices=Tone, default=Tone.INFO)
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.MEMBERS)
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=254)
    put_away_by = models.ManyToManyField(User, related_name="+")

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="announcement_ends_after_its_start",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def state(self) -> str:
        now = timezone.now()
        if self.withdrawn_at:
            return "withdrawn"
        if self.ends_at and self.ends_at <= now:
            return "over"
        return "to come" if self.starts_at > now else "shown"

    @transaction.atomic
    def change(self, *, by: Actor, **told: Unpack[Told]) -> None:
        """Tell it otherwise; who has put it away does not see it again. Raises ValidationError."""
        self._lock()
        self._say(told)
        self._on_record(Action.ANNOUNCEMENT_CHANGED, by)

    @transaction.atomic
    def withdraw(self, *, by: Actor) -> None:
        """Tell it no longer, for good. Raises ValidationError where that was done before."""
        self._lock()
        self.withdrawn_at = timezone.now()
        self.save(update_fields=["withdrawn_at"])
        self._on_record(Action.ANNOUNCEMENT_WITHDRAWN, by)

    def put_away(self, user: User) -> None:
        """Never show it to ``user`` again. Doing it twice changes nothing."""
        self.put_away_by.add(user)
        cache.delete(PUT_AWAY.format(user.pk))

    def _lock(self) -> None:
        Announcement.objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db()
        if self.withdrawn_at:
            raise ValidationError(WITHDRAWN)

    def _say(self, told: Told) -> None:
        self.starts_at = told.pop("starts_at", None) or self.starts_at
        for name, value in told.items():
            setattr(self, name, value)
        now = timezone.now()
        if self.ends_at and self.ends_at <= max(self.starts_at, now):
            raise ValidationError({"ends_at": "Choose a moment after its start, and to come."})
        if self.link and not leads_somewhere(self.link):
            raise ValidationError({"link": ODD_LINK})
        if bool(self.link) != bool(self.link_words):
            missing = "link_words" if self.link else "link"
            raise ValidationError({missing: "A link needs both its address and its words."})
        self.save()

    def _on_record(self, action: Action, by: Actor) -> None:
        until = self.ends_at.isoformat() if self.ends_at else None
        said = {"audience": str(self.audience), "link": self.link, "ends_at": until}
        record(None, action, by=by, about=self.text, **said)


def leads_somewhere(link: str) -> bool:
    """Whether it is a place of ours, or one that is reached over TLS.

    >>> [leads_somewhere(link) for link in ("/docs/limits#rpm", "//odd.example", "http://x.example")]
    [True, False, False]
    """
    if link.startswith("/"):
        return not set(link) & set("\\ \t\r\n") and not link.startswith("//")
    try:
        is_web_address(link)
    except ValidationError:
        return False
    return True


def renew() -> None:
    """Let every process know what is to be told from now on."""
    fields = ("pk", "text", "link", "link_words", "tone", "audience", "starts_at", "ends_at")
    TOLD.put(list(Announcement.objects.standing().values(*fields)))


def told_to(request: HttpRequest) -> list[dict[str, Any]]:
    """What the visitor has not put away, newest first; nothing while Redis is away."""
    now = timezone.now()
    told = [
        one
        for one in TOLD.read()
        if one["starts_at"] <= now and (one["ends_at"] is None or now < one["ends_at"])
    ]
    user = getattr(request, "user", None)
    if not told or not isinstance(user, User):
        return told
    try:
        away = cache.get_or_set(PUT_AWAY.format(user.pk), lambda: away_for(user), KEPT) or []
    except RedisError:
        return []
    return [one for one in told if one["pk"] not in away]


def away_for(user: User) -> list[int]:
    standing = Announcement.objects.standing().filter(put_away_by=user)
    return list(standing.values_list("pk", flat=True))
