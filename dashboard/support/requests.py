"""What somebody asks of whoever runs this server, until a year after its last word."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Left
from django.utils import timezone

from accounts.audit import Action, Actor, record
from accounts.models import Account, User
from dashboard.support.letters import Nature, SupportLetter
from dashboard.support.messages import SupportMessage

FIRST, NUMBER = 1000, re.compile(r"(?:SR-)?(\d{4,12})", re.ASCII | re.IGNORECASE)
FORGOTTEN_AFTER = timedelta(days=365)
SAID_ALREADY = "That is what was said last."


class Kind(models.TextChoices):
    HELP = "help", "Help"
    SALES = "sales", "Enterprise"


class State(models.TextChoices):
    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"
    CLOSED = "closed", "Closed"


class Topic(models.TextChoices):
    CALLS = "calls", "Calls that fail or answer oddly"
    LIMITS = "limits", "Limits, and calls that are refused"
    BILLING = "billing", "Plan, payment, invoices"
    SIGN_IN = "sign_in", "Sign-in and members"
    WEBHOOKS = "webhooks", "Webhooks"
    PRIVACY = "privacy", "Data about me"
    SECURITY = "security", "A weakness in this service"
    OTHER = "other", "Something else"


TONES = {State.OPEN: "warn", State.ANSWERED: "ok", State.CLOSED: ""}


class SupportRequestQuerySet(models.QuerySet["SupportRequest"]):
    def seen_by(self, user: User, account: Account | None) -> SupportRequestQuerySet:
        """All of ``account``, and what ``user`` wrote while they belonged to none."""
        own = Q(account=None, author=user)
        return self.filter(own | Q(account=account) if account else own)

    def numbered(self, number: str) -> SupportRequestQuerySet:
        """The one of this number, if it is one: SR-1042, or 1042."""
        written = NUMBER.fullmatch(number.strip())
        return self.filter(pk=int(written[1]) - FIRST) if written else self.none()

    def with_beginning(self) -> SupportRequestQuerySet:
        """Each with ``beginning``: how its first message begins."""
        first = SupportMessage.objects.filter(request=OuterRef("pk")).order_by("pk")
        return self.annotate(beginning=Subquery(first.values(short=Left("text", 200))[:1]))

    def open(self, *, email: str, text: str, mark: str, **facts: object) -> SupportRequest:
        """Take up what somebody asks, and have it told to operators and to who asked.

        The same ``mark`` is the same form sent again: it makes no second one.
        """
        try:
            with transaction.atomic():
                asked = self.create(email=email, mark=mark, **facts)
                asked._say(text, email, Nature.RECEIVED, Nature.ASKED)
                return asked
        except IntegrityError:
            return self.get(mark=mark)

    def forget(self, now: datetime) -> None:
        """Remove what is no longer open, and of which nothing was heard for a year."""
        self.exclude(state=State.OPEN).filter(changed_at__lt=now - FORGOTTEN_AFTER).delete()


def new_mark() -> str:
    return secrets.token_urlsafe(16)


class SupportRequest(models.Model):
    """Of an account if its writer was signed in; of anybody else we know an address only."""

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HELP)
    topic = models.CharField(max_length=20, choices=Topic, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="support_requests", null=True
    )
    author = models.ForeignKey(User, on_delete=models.SET_NULL, related_name="+", null=True)
    email = models.EmailField()
    request_id = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=100, blank=True)
    company = models.CharField(max_length=100, blank=True)
    expected_use = models.CharField(max_length=300, blank=True)
    mark = models.CharField(max_length=40, unique=True, default=new_mark)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = SupportRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-changed_at", "-pk"]
        verbose_name, verbose_name_plural = "request for help", "requests for help"
        indexes = [models.Index(fields=["state", "changed_at"], name="support_request_state")]

    def __str__(self) -> str:
        return f"{self.number}: {self.about}"

    @property
    def number(self) -> str:
        """By which people call it."""
        return f"SR-{FIRST + self.pk}"

    @property
    def about(self) -> str:
        return self.get_topic_display() if self.topic else self.get_kind_display()

    @property
    def tone(self) -> str:
        return TONES[State(self.state)]

    @property
    def is_closed(self) -> bool:
        return self.state == State.CLOSED

    @property
    def readers(self) -> Iterable[str]:
        """Who is told by mail what we say: the writer, as long as they belong to the account.

        After that, those who answer for the account.
        """
        members = self.account.memberships.filter(user__is_active=True) if self.account else None
        if members is None or members.filter(user=self.author_id).exists():
            return [self.email]
        return members.filter(role__in=["owner", "admin"]).values_list("user__email", flat=True)

    @transaction.atomic
    def reply(self, text: str, *, writer: User) -> None:
        """Say more, as a member. What was answered or closed is open again."""
        self._lock()
        if self._say(text, writer.email, Nature.ASKED):
            self._become(State.OPEN)

    @transaction.atomic
    def answer(self, text: str, *, by: Actor) -> None:
        """Say something, as an operator. Raises ValidationError if that was just said."""
        self._lock()
        if not self._say(text, by.name, Nature.ANSWERED, ours=True):
            raise ValidationError({"text": SAID_ALREADY})
        self._become(State.ANSWERED)
        record(self.account, Action.SUPPORT_ANSWERED, by=by, about=self.number)

    @transaction.atomic
    def close(self, *, by: Actor) -> bool:
        """Whoever reads it need do nothing more. False if it was closed before."""
        self._lock()
        if self.is_closed:
            return False
        self._become(State.CLOSED)
        record(self.account, Action.SUPPORT_CLOSED, by=by, about=self.number)
        return True

    @transaction.atomic
    def reopen(self, *, by: Actor) -> bool:
        """There is something to do after all. False if it was not closed."""
        self._lock()
        if not self.is_closed:
            return False
        self._become(State.OPEN)
        record(self.account, Action.SUPPORT_REOPENED, by=by, about=self.number)
        return True

    def as_told(self) -> dict[str, object]:
        """All that is kept of it, for the account that it belongs to."""
        facts = ("number", "about", "state", "email", "request_id", "name", "company")
        told: dict[str, object] = {fact: getattr(self, fact) for fact in facts}
        told |= {"expected_use": self.expected_use, "created_at": self.created_at}
        told["messages"] = [
            {"at": one.at, "by": "support" if one.ours else one.writer, "text": one.text}
            for one in self.messages.all()
        ]
        return told

    def _lock(self) -> None:
        SupportRequest.objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db()

    def _say(self, text: str, writer: str, *letters: Nature, ours: bool = False) -> bool:
        """Whether it was not just said; then those letters are on their way."""
        message = SupportMessage.objects.say(self, text, writer=writer, ours=ours)
        if message:
            SupportLetter.objects.bulk_create(
                SupportLetter(about=message, nature=nature) for nature in letters
            )
        return message is not None

    def _become(self, state: State) -> None:
        self.state, self.changed_at = state, timezone.now()
        self.save(update_fields=["state", "changed_at"])
